/** Which meter a chart opens on. */
import type { Meter, OpName, Req, Res, Time } from "$lib/api/types";
import { compare, zero } from "$lib/format/quantity";

type Call = <O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal) => Promise<Res<O>>;

/** More than these are not looked through. */
const MOST = 12;

/** The operator's own meters first, as they were made (ids grow with time): they were made to be looked at. */
export function byUse(a: Pick<Meter, "id" | "builtIn">, b: Pick<Meter, "id" | "builtIn">): number {
  return Number(a.builtIn) - Number(b.builtIn) || (a.id < b.id ? -1 : 1);
}

/** The first of these meters with usage in the range; null where none of them has any. */
export async function firstUsed(
  call: Call,
  asked: { ids: readonly string[]; customerId?: string; from: Time; to: Time },
  signal?: AbortSignal,
): Promise<string | null> {
  const { ids, ...range } = asked;
  for (const id of ids.slice(0, MOST)) {
    const { value } = await call("meters.query", { id, ...range }, signal);
    if (value !== null && compare(value, zero) !== 0) return id;
  }
  return null;
}
