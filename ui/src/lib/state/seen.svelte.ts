/** What recorded events are made of, asked once a screen needs it. */
import { seenIn, type Seen } from "$lib/seen";
import { live } from "./live.svelte";

/**
 * Must be called while a component is set up. Types and names of values are those of all events; dimensions are those of the newest
 * hundred of the type.
 */
export function useSeen(eventType: () => string | null = () => null): { readonly current: Seen } {
  const summary = live("events.summary", () => ({}), { topics: [] });
  const newest = live("events.list", () => ({ eventType: eventType() ?? undefined, limit: 100 }), { topics: [] });
  const current = $derived.by((): Seen => {
    const found = seenIn(newest.data?.data ?? []);
    const types = summary.data?.types ?? [];
    const wanted = eventType();
    const ofType = types.filter((type) => wanted === null || type.eventType === wanted);
    return {
      types: [...new Set([...types.map((type) => type.eventType), ...found.types])],
      values: [...new Set([...ofType.flatMap((type) => Object.keys(type.values)), ...found.values])],
      dimensions: found.dimensions,
    };
  });
  return {
    get current() {
      return current;
    },
  };
}
