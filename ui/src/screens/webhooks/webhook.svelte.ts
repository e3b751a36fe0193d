/** One webhook, out of the list of all: asking for it alone would bring its secret into the page. */
import type { ApiFailure } from "$lib/api/errors";
import type { Webhook } from "$lib/api/types";
import { readOn } from "$lib/state/all.svelte";
import { paged } from "$lib/state/paged.svelte";

export interface Known {
  readonly data: Webhook | undefined;
  readonly failed: ApiFailure | null;
  /** The list was read to its end, and it is not there. */
  readonly notFound: boolean;
  readonly stale: boolean;
  readonly error: ApiFailure | null;
  refetch: () => void;
}

/** Must be called while a component is set up. */
export function useWebhook(id: string | undefined): Known {
  const list = paged("webhooks.list", () => (id === undefined ? null : { includeArchived: true }), { topics: ["webhooks"], key: (webhook) => webhook.id });
  const found = $derived(list.rows.find((webhook) => webhook.id === id));
  readOn(list, () => found !== undefined);
  return {
    get data() {
      return found;
    },
    get failed() {
      return list.failed;
    },
    get notFound() {
      return id !== undefined && !found && !list.loading && !list.failed && !list.hasMore;
    },
    get stale() {
      return list.stale;
    },
    get error() {
      return list.error;
    },
    refetch: list.refetch,
  };
}
