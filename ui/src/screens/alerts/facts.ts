/** The inbox by its address. */
import type { AlertState, Req } from "$lib/api/types";
import type { Query } from "$lib/state/router.svelte";

export const STATES: readonly AlertState[] = ["open", "acknowledged", "resolved"];

/** Which alerts an address of the inbox asks for: open ones where it says nothing. */
export function stateOf(query: Query): AlertState | "all" {
  return query.state === "all" ? "all" : (STATES.find((state) => state === query.state) ?? "open");
}

export function requestOf(query: Query): Req<"alerts.list"> {
  const state = stateOf(query);
  const request: Req<"alerts.list"> = {};
  if (state !== "all") request.state = state;
  if (query.customer) request.customerId = query.customer;
  if (query.limit) request.limitId = query.limit;
  return request;
}
