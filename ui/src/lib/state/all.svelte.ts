/** Lists that are needed whole: names by id, what stands in the way of something. */
import type { Meter, OpName } from "$lib/api/types";
import { paged, type Paged } from "./paged.svelte";

interface Readable {
  readonly rows: readonly unknown[];
  readonly hasMore: boolean;
  busy: boolean;
  error: unknown;
  more(): Promise<void>;
}

/** Must be called while a component is set up. Reads on until the end, or until `enough` says so. */
export function readOn(list: Readable, enough: () => boolean): void {
  $effect(() => {
    if (list.hasMore && !list.busy && list.error === null && !enough()) void list.more();
  });
}

/** More meters than this are not named in lists. */
const MOST_METERS = 2_000;

/** Must be called while a component is set up. Every meter, also archived ones, by its id. */
export function useMeters(): { readonly list: Paged<"meters.list" & OpName>; readonly byId: ReadonlyMap<string, Meter> } {
  const list = paged("meters.list", () => ({ includeArchived: true }), { topics: ["meters"], key: (meter) => meter.id });
  readOn(list, () => list.rows.length >= MOST_METERS);
  const byId = $derived(new Map(list.rows.map((meter) => [meter.id, meter])));
  return {
    list,
    get byId() {
      return byId;
    },
  };
}
