/** Where programs reach this server. */
import type { ServerState } from "$lib/api/types";
import { attempt } from "$lib/attempt";
import { live, type Live } from "$lib/state/live.svelte";
import { call, session } from "$lib/state/session.svelte";

export interface ServerPlace {
  readonly query: Live<ServerState>;
  /** Where programs send to; null while it is off. */
  readonly address: string | null;
  /** Only the window may change it, and only where it is the host. */
  readonly canChange: boolean;
  /** It is being turned on. */
  readonly starting: boolean;
  start(): Promise<void>;
}

/**
 * Must be called while a component is set up. From a browser, the address that the console itself came from is known to lead here,
 * whatever stands in between; the window's own server says where it is.
 */
export function useServer(): ServerPlace {
  const query = live("server.get", () => ({}), { topics: ["project"] });
  let starting = $state(false);
  return {
    query,
    get starting() {
      return starting;
    },
    async start() {
      if (starting) return;
      starting = true;
      await attempt(async () => {
        await call("server.update", { enabled: true });
        query.refetch();
      });
      starting = false;
    },
    get address() {
      return session.desktop ? (query.data?.address ?? null) : location.origin;
    },
    get canChange() {
      return session.desktop && (query.data?.canChange ?? false);
    },
  };
}
