/** The order of a list, kept in the address. */
import type { LogSort } from "$lib/api/types";
import { router } from "./router.svelte";

/** Of the orders that a list can have the first is its own: the address does not name it. To be called while a component is set up. */
export function sorting<S extends string>(orders: readonly [S, ...S[]]) {
  const sort = $derived(orders.find((each) => each === router.query.sort) ?? orders[0]);
  return {
    get sort(): S {
      return sort;
    },
    /** To another order, or with null to the list's own. */
    onsort: (next: string | null) => router.setQuery({ sort: next === orders[0] ? null : next }),
  };
}

/** The same of a log. */
export const logSorting = () => sorting<LogSort>(["newest", "oldest"]);
