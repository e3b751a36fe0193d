/** The stretch of a ledger that a statement is about. */
import { fromLocal, localMillis, toTime } from "$lib/format/time";
import type { Query } from "$lib/state/router.svelte";

export const PERIODS = ["this", "last", "all", "custom"] as const;
export type PeriodId = (typeof PERIODS)[number];

export interface Span {
  /** Null from the beginning. */
  from: number | null;
  /** Exclusive; null to the end. */
  to: number | null;
}

/** A month by the zone's calendar: this one, or as many before. */
export function monthOf(now: number, zone: string, back = 0): { from: number; to: number } {
  const wall = new Date(localMillis(now, zone));
  const first = (months: number) => fromLocal(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + months, 1), zone);
  return { from: first(-back), to: first(1 - back) };
}

/** What an address asks for: this month where it says nothing, or says it wrongly. */
export function periodOf(query: Query, now: number, zone: string): { id: PeriodId } & Span {
  if (query.period === "all") return { id: "all", from: null, to: null };
  if (query.period === "last") return { id: "last", ...monthOf(now, zone, 1) };
  if (query.period === "custom") {
    const [from, to] = [read(query.from), read(query.to)];
    if (from !== null && to !== null && from < to) return { id: "custom", from, to };
  }
  return { id: "this", ...monthOf(now, zone) };
}

function read(text: string | undefined): number | null {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : at;
}

/** As the engine takes it. */
export function boundsOf({ from, to }: Span): { from?: string; to?: string } {
  return { ...(from === null ? {} : { from: toTime(from) }), ...(to === null ? {} : { to: toTime(to) }) };
}
