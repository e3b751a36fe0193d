/** A rate limit as it is being written. */
import type { RateLimit, RateSpan, Req } from "$lib/api/types";
import { fieldCount, parseQuantity } from "$lib/format/field";
import { formatCount, nanos } from "$lib/format/quantity";
import { whereOf } from "$lib/meter-words";
import { t } from "$lib/strings";
import { sameDimensions } from "../limits/draft";

export const SPANS = Object.keys(t.limits.perSpan) as RateSpan[];

export interface Draft {
  name: string;
  /** As it is typed. */
  calls: string;
  window: RateSpan;
  /** "" for every customer. */
  customerId: string;
  dimensions: Record<string, string>;
  enabled: boolean;
}

export const emptyDraft: Draft = { name: "", calls: "", window: "minute", customerId: "", dimensions: {}, enabled: true };

export function draftOf(rate: RateLimit): Draft {
  return {
    name: rate.name,
    calls: fieldCount(rate.limitValue),
    window: rate.window,
    customerId: rate.customerId ?? "",
    dimensions: rate.dimensionFilters,
    enabled: rate.enabled,
  };
}

/** A count that a JSON number carries exactly; how many are too many, the engine says. */
const MOST_DIGITS = 15;

/** What was typed as how many calls; null where it is no whole number above zero. */
export function callsOf(draft: Pick<Draft, "calls">): number | null {
  const value = parseQuantity(draft.calls);
  if (value === null || nanos(value) <= 0n || !/^\d+$/.test(value) || value.length > MOST_DIGITS) return null;
  return Number.parseInt(value, 10);
}

/** “Calls per minute, gpt-4”: a name nobody has to think of. */
export function suggestName(draft: Pick<Draft, "window" | "dimensions">): string {
  return [t.rates.suggestedName(t.limits.perSpan[draft.window]), ...Object.values(draft.dimensions)].join(", ").slice(0, 256);
}

/** A rate limit, read aloud. */
export function sentenceOf(rate: Pick<RateLimit, "limitValue" | "window" | "customerId" | "dimensionFilters">): string {
  return t.rates.sentence(
    t.rates.calls(rate.limitValue, formatCount(rate.limitValue)),
    t.limits.perSpan[rate.window],
    rate.customerId ?? t.limits.sentence.everyCustomer,
    whereOf(rate.dimensionFilters),
  );
}

export function creation(draft: Draft, calls: number): Req<"rate_limits.create"> {
  return {
    name: draft.name.trim(),
    limitValue: calls,
    window: draft.window,
    customerId: draft.customerId || null,
    dimensionFilters: draft.dimensions,
    enabled: draft.enabled,
  };
}

export type Change = Omit<Req<"rate_limits.update">, "id">;

/** Only what differs. */
export function changes(draft: Draft, calls: number, before: RateLimit): Change {
  const changed: Change = {};
  const name = draft.name.trim();
  if (name !== before.name) changed.name = name;
  if (calls !== before.limitValue) changed.limitValue = calls;
  if (draft.window !== before.window) changed.window = draft.window;
  if (!sameDimensions(draft.dimensions, before.dimensionFilters)) changed.dimensionFilters = draft.dimensions;
  return changed;
}

/** The change that takes a change back. */
export function reverse(change: Change, before: RateLimit): Change {
  return Object.fromEntries(Object.keys(change).map((field) => [field, before[field as keyof RateLimit]])) as Change;
}
