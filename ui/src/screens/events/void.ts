/** Voiding an event, as the engine takes it. */
import type { Req } from "$lib/api/types";

/** Longest reason, in characters. */
export const MAX_REASON = 256;

/** A reason of nothing but blanks is none. */
export function voidRequest(id: string, reason: string): Req<"events.void"> {
  const said = reason.trim();
  return said === "" ? { id } : { id, reason: said };
}
