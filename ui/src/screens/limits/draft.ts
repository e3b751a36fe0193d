/** A limit as it is being written. */
import type { Enforcement, Limit, Meter, Period, Q, Req } from "$lib/api/types";
import { fieldText, parseQuantity } from "$lib/format/field";
import { nanos } from "$lib/format/quantity";
import { t } from "$lib/strings";

export interface Draft {
  name: string;
  meterId: string;
  /** As it is typed. */
  value: string;
  period: Period;
  /** "" for every customer. */
  customerId: string;
  dimensions: Record<string, string>;
  thresholds: number[];
  enforcement: Enforcement;
  enabled: boolean;
}

export const emptyDraft: Draft = {
  name: "",
  meterId: "",
  value: "",
  period: "month",
  customerId: "",
  dimensions: {},
  thresholds: [80, 100],
  enforcement: "hard",
  enabled: true,
};

export function draftOf(limit: Limit): Draft {
  return {
    name: limit.name,
    meterId: limit.meterId,
    value: fieldText(limit.limitValue),
    period: limit.period,
    customerId: limit.customerId ?? "",
    dimensions: limit.dimensionFilters,
    thresholds: limit.alertThresholds,
    enforcement: limit.enforcement,
    enabled: limit.enabled,
  };
}

/** What was typed as how much; null where it is no number above zero. */
export function valueOf(draft: Pick<Draft, "value">): Q | null {
  const value = parseQuantity(draft.value);
  return value !== null && nanos(value) > 0n ? value : null;
}

/** “Tokens per day, gpt-4”: a name nobody has to think of. */
export function suggestName(meter: Pick<Meter, "name"> | undefined, draft: Pick<Draft, "period" | "dimensions">): string {
  if (!meter) return "";
  const plain = meter.name.replace(/[_.]+/g, " ").trim();
  const what = `${plain.charAt(0).toUpperCase()}${plain.slice(1)} ${t.limits.per[draft.period]}`;
  return [what, ...Object.values(draft.dimensions)].join(", ").slice(0, 256);
}

/** A whole percentage from 1 to 1000, as the engine takes it. */
export function readThreshold(typed: string): string | null {
  const match = /^(\d{1,4})\s*%?$/.exec(typed.trim());
  if (!match) return null;
  const percent = Number(match[1]);
  return percent >= 1 && percent <= 1000 ? String(percent) : null;
}

export function creation(draft: Draft, value: Q): Req<"limits.create"> {
  return {
    name: draft.name.trim(),
    meterId: draft.meterId,
    limitValue: value,
    period: draft.period,
    customerId: draft.customerId || null,
    dimensionFilters: draft.dimensions,
    alertThresholds: draft.thresholds,
    enforcement: draft.enforcement,
    enabled: draft.enabled,
  };
}

export type Change = Omit<Req<"limits.update">, "id">;

/** Only what differs. */
export function changes(draft: Draft, value: Q, before: Limit): Change {
  const next = creation(draft, value);
  const changed: Change = {};
  if (next.name !== before.name) changed.name = next.name;
  if (next.meterId !== before.meterId) changed.meterId = next.meterId;
  if (next.limitValue !== before.limitValue) changed.limitValue = next.limitValue;
  if (next.period !== before.period) changed.period = next.period;
  if (!sameDimensions(draft.dimensions, before.dimensionFilters)) changed.dimensionFilters = draft.dimensions;
  if (JSON.stringify(draft.thresholds) !== JSON.stringify(before.alertThresholds)) changed.alertThresholds = draft.thresholds;
  if (next.enforcement !== before.enforcement) changed.enforcement = next.enforcement;
  if (next.enabled !== before.enabled) changed.enabled = next.enabled;
  return changed;
}

/** The change that takes a change back. */
export function reverse(change: Change, before: Limit): Change {
  return Object.fromEntries(Object.keys(change).map((field) => [field, before[field as keyof Limit]])) as Change;
}

export function sameDimensions(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const flat = (dimensions: Readonly<Record<string, string>>) =>
    JSON.stringify(Object.entries(dimensions).sort(([x], [y]) => (x < y ? -1 : 1)));
  return flat(a) === flat(b);
}
