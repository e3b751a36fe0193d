/** Whom a limit would stop: counted from what is recorded, never guessed. */
import type { Limit, Q, StandingRow } from "$lib/api/types";
import { add, compare, percentOf, zero } from "$lib/format/quantity";
import { sameDimensions, type Draft } from "./draft";

export interface Used {
  customerId: string;
  used: Q;
}

export interface Impact {
  /** At or over the new value, fullest first. */
  over: Used[];
  /** There are more, which were not read. */
  more: boolean;
  /** How many of these are refused today already; null where nothing is refused today. */
  already: number | null;
  /** Refused today, and below the new value. */
  relieved: number;
  /** The fullest of those that stay below. */
  closest: (Used & { percent: Q }) | null;
}

/** What a customer has used of a limit that is in force, with what is held for it. */
export function usedOf(row: StandingRow): Used {
  return { customerId: row.customerId, used: add(row.standing.used, row.standing.held) };
}

/** A raise lets the customer go on, whatever the limit's own value is. */
export function isLetOn({ standing }: StandingRow): boolean {
  return standing.raised !== null && compare(add(standing.used, standing.held), standing.limit) < 0;
}

/** Per cent of a limit that is used and held: what counts. */
export function takenPercent({ standing }: StandingRow): Q {
  return percentOf(add(standing.used, standing.held), standing.limit) ?? zero;
}

/** Whose limit is nearest to refusing first, what is held counted as used. */
export function byTaken(a: StandingRow, b: StandingRow): number {
  return compare(takenPercent(b), takenPercent(a));
}

/**
 * Judges customers by a new value, and by the one that refuses today where there is one.
 * `more`: the list goes on beyond these, fullest first.
 */
export function judge(customers: readonly Used[], value: Q, before: Q | null, more: boolean): Impact {
  const ordered = [...customers].sort((a, b) => compare(b.used, a.used));
  const over = ordered.filter((each) => compare(each.used, value) >= 0);
  const below = ordered[over.length];
  const overBefore = before === null ? [] : ordered.filter((each) => compare(each.used, before) >= 0);
  return {
    over,
    more: more && over.length === ordered.length && ordered.length > 0,
    already: before === null ? null : over.filter((each) => compare(each.used, before) >= 0).length,
    relieved: Math.max(0, overBefore.length - over.length),
    closest: below ? { ...below, percent: percentOf(below.used, value)! } : null,
  };
}

/** Those over a new value that were not over the old one. */
export function newly(impact: Impact): number {
  return impact.over.length - (impact.already ?? 0);
}

/** Beyond what a limit refuses today; null where it refuses nothing. */
export function refusing(limit: Limit | null): Q | null {
  return limit !== null && limit.enforcement === "hard" && limit.enabled && limit.archivedAt === null ? limit.limitValue : null;
}

/** Where the numbers come from. */
export type Source = "standings" | "usage" | null;

/** A limit in force knows where each customer stands as long as what it counts stays. Anything else is read from the meter. */
export function sourceFor(draft: Pick<Draft, "meterId" | "period" | "dimensions">, before: Limit | null): Source {
  const inForce = before !== null && before.enabled && before.archivedAt === null;
  if (
    inForce &&
    before.meterId === draft.meterId &&
    before.period === draft.period &&
    sameDimensions(before.dimensionFilters, draft.dimensions)
  ) {
    return "standings";
  }
  return draft.meterId !== "" ? "usage" : null;
}

/** Customers whose own limit takes a default's place: they are not held to it. */
export function replaced(limits: readonly Limit[], draft: Pick<Draft, "meterId" | "period" | "dimensions" | "customerId">): Set<string> {
  if (draft.customerId !== "") return new Set();
  return new Set(
    limits
      .filter(
        (limit) =>
          limit.customerId !== null &&
          limit.enabled &&
          limit.archivedAt === null &&
          limit.meterId === draft.meterId &&
          limit.period === draft.period &&
          sameDimensions(limit.dimensionFilters, draft.dimensions),
      )
      .map((limit) => limit.customerId!),
  );
}
