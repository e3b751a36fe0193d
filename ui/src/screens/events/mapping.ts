/** Changing how a file's rows are read, one choice at a time. */
import type { DimensionSource, Mapping, MappingSource } from "$lib/api/types";

/** A choice in a list of columns: a column's own name, or the same text for all rows. */
export const FIXED = "\u0000fixed";

export function choiceOf(source: MappingSource): string {
  return "column" in source ? source.column : FIXED;
}

/** Another choice. A text that stood there before comes back. */
export function sourceOf(choice: string, before: MappingSource): MappingSource {
  if (choice !== FIXED) return { column: choice };
  return "value" in before ? before : { value: "" };
}

export function dimensionOf(choice: string, before: DimensionSource): DimensionSource {
  if (choice !== FIXED) return { name: before.name, column: choice };
  return "value" in before ? before : { name: before.name, value: "" };
}

/** A name for an event's part from a column's: `ContextTokens` is `context_tokens`. */
export function keyOf(column: string): string {
  return column
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "_")
    .replace(/^[_.]+|[_.]+$/g, "")
    .slice(0, 64);
}

/** A name that is not taken. */
export function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let i = 2; taken.includes(name); i++) name = `${wanted}_${i}`;
  return name;
}

/** What a column is used for, in the words given. */
export function rolesOf(
  column: string,
  mapping: Mapping,
  words: { customer: string; eventType: string; timestamp: string; identity: string },
): string[] {
  const roles: string[] = [];
  if ("column" in mapping.customer && mapping.customer.column === column) roles.push(words.customer);
  if ("column" in mapping.eventType && mapping.eventType.column === column) roles.push(words.eventType);
  if (mapping.timestamp.column === column) roles.push(words.timestamp);
  for (const value of mapping.values) if (value.columns.includes(column)) roles.push(value.name);
  for (const each of mapping.dimensions) if ("column" in each && each.column === column) roles.push(each.name);
  if (mapping.idColumn === column) roles.push(words.identity);
  return roles;
}
