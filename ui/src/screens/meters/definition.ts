/** A meter as it is being written: what its form holds, and what is sent of it. */
import type { Aggregation, EventFilterInput, Meter, Req } from "$lib/api/types";
import { fieldName } from "$lib/meter-words";

export interface Draft {
  name: string;
  description: string;
  aggregation: Aggregation;
  /** Without `values.` or `dimensions.`; of no use to a count. */
  field: string;
  eventType: string;
  dimensions: Record<string, string>;
  groupBy: string[];
  unit: string;
}

export const emptyDraft: Draft = {
  name: "",
  description: "",
  aggregation: "sum",
  field: "",
  eventType: "",
  dimensions: {},
  groupBy: [],
  unit: "",
};

export function draftOf(meter: Meter): Draft {
  return {
    name: meter.name,
    description: meter.description ?? "",
    aggregation: meter.aggregation,
    field: meter.aggregation === "count" ? "" : fieldName(meter.field),
    eventType: meter.eventFilter.eventType ?? "",
    dimensions: meter.eventFilter.dimensions,
    groupBy: meter.groupBy,
    unit: meter.unit ?? "",
  };
}

/** The field as the wire writes it; null while it is not chosen. */
export function wireField(draft: Pick<Draft, "aggregation" | "field">): string | null {
  if (draft.aggregation === "count") return "*";
  const name = draft.field.trim();
  if (name === "") return null;
  return draft.aggregation === "unique" ? `dimensions.${name}` : `values.${name}`;
}

export function wireFilter(draft: Pick<Draft, "eventType" | "dimensions">): EventFilterInput {
  return { eventType: draft.eventType.trim() || null, dimensions: draft.dimensions };
}

/** What to create. An absent field is sent as empty, so that the engine says what it misses. */
export function creation(draft: Draft): Req<"meters.create"> {
  return {
    name: draft.name.trim(),
    description: draft.description.trim() || null,
    aggregation: draft.aggregation,
    field: wireField(draft) ?? "",
    eventFilter: wireFilter(draft),
    groupBy: draft.groupBy,
    unit: draft.unit.trim() || null,
  };
}

/** Only what differs: a definition that stays is not counted anew. */
export function changes(draft: Draft, before: Meter): Omit<Req<"meters.update">, "id"> {
  const next = creation(draft);
  const changed: Omit<Req<"meters.update">, "id"> = {};
  if (next.name !== before.name) changed.name = next.name;
  if (next.description !== before.description) changed.description = next.description ?? null;
  if (next.unit !== before.unit) changed.unit = next.unit ?? null;
  if (next.aggregation !== before.aggregation) changed.aggregation = next.aggregation;
  if (next.field !== before.field) changed.field = next.field;
  if (!same(next.eventFilter, before.eventFilter)) changed.eventFilter = next.eventFilter;
  if (JSON.stringify(next.groupBy) !== JSON.stringify(before.groupBy)) changed.groupBy = next.groupBy;
  return changed;
}

/** These count history anew. */
export function recounts(change: Omit<Req<"meters.update">, "id">): boolean {
  return "aggregation" in change || "field" in change || "eventFilter" in change || "groupBy" in change;
}

/** What would be different numbers, not only other breakdowns kept ready. */
export function changesNumbers(change: Omit<Req<"meters.update">, "id">): boolean {
  return "aggregation" in change || "field" in change || "eventFilter" in change;
}

function same(a: EventFilterInput | undefined, b: EventFilterInput): boolean {
  const flat = (filter: EventFilterInput | undefined) =>
    JSON.stringify([filter?.eventType ?? null, Object.entries(filter?.dimensions ?? {}).sort(([x], [y]) => (x < y ? -1 : 1))]);
  return flat(a) === flat(b);
}
