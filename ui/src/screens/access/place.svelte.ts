/** Where programs reach this server. */
import { asFailure } from "$lib/api/errors";
import type { ServerState } from "$lib/api/types";
import { live, type Live } from "$lib/state/live.svelte";
import { call, session } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";

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
      try {
        await call("server.update", { enabled: true });
        query.refetch();
      } catch (thrown) {
        toasts.show(t.error.failed(asFailure(thrown).message), { tone: "danger" });
      } finally {
        starting = false;
      }
    },
    get address() {
      return session.desktop ? (query.data?.address ?? null) : location.origin;
    },
    get canChange() {
      return session.desktop && (query.data?.canChange ?? false);
    },
  };
}
