/** What a meter counts, in words. */
import type { EventFilterInput, Meter } from "./api/types";
import { t } from "./strings";

/** `values.tokens` is `tokens`: what kind of thing it is follows from the aggregation. */
export function fieldName(field: string): string {
  return field.replace(/^(values|dimensions)\./, "");
}

/** “Sum of tokens”. */
export function definitionOf(meter: Pick<Meter, "aggregation" | "field">): string {
  return t.meters.definition[meter.aggregation](fieldName(meter.field));
}

/** “of type llm.completion where model = gpt-4”; empty where all events count. */
export function filterOf(filter: EventFilterInput): string {
  const parts: string[] = [];
  if (filter.eventType) parts.push(t.meters.ofType(filter.eventType));
  const where = whereOf(filter.dimensions ?? {});
  if (where) parts.push(`${t.meters.where} ${where}`);
  return parts.join(" ");
}

/** “model = gpt-4 and region = eu”. */
export function whereOf(dimensions: Readonly<Record<string, string>>): string {
  return Object.entries(dimensions)
    .map(([name, value]) => `${name} = ${value}`)
    .join(` ${t.meters.and} `);
}

/** Only what adds up, or is a mark that is reached, can be held against a limit. */
export function canBeLimited(meter: Pick<Meter, "aggregation">): boolean {
  return meter.aggregation !== "min" && meter.aggregation !== "avg";
}

/** Its intervals add up to the whole. */
export function isAdditive(meter: Pick<Meter, "aggregation">): boolean {
  return meter.aggregation === "sum" || meter.aggregation === "count";
}
