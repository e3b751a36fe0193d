/** What a simulator asks, as it stands in the address and as the engine takes it. */
import type { Q, RefusedCall, Req } from "$lib/api/types";
import { href, type Query } from "$lib/state/router.svelte";

export type Mode = "customer" | "request" | "call";
export const MODES: readonly Mode[] = ["customer", "request", "call"];

export interface Asked {
  mode: Mode;
  type: string;
  values: Record<string, Q>;
  dimensions: Record<string, string>;
}

/** Values stand in the address as `v.tokens=20`, dimensions as `d.model=gpt-4`. */
const VALUE = "v.";
const DIMENSION = "d.";
/** Dimensions whose text is empty: an address keeps no empty part. No key holds a comma. */
const BLANK = "blank";

function under(query: Query, prefix: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, text] of Object.entries(query)) if (name.startsWith(prefix)) found[name.slice(prefix.length)] = text;
  return found;
}

export function askedOf(query: Query): Asked {
  const blank = (query[BLANK] ?? "").split(",").filter(Boolean);
  return {
    mode: MODES.find((mode) => mode === query.ask) ?? "customer",
    type: query.type ?? "",
    values: under(query, VALUE) as Record<string, Q>,
    dimensions: { ...under(query, DIMENSION), ...Object.fromEntries(blank.map((name) => [name, ""])) },
  };
}

/** The address's query. What a mode does not ask stays out of it. */
export function queryOf(asked: Asked): Query {
  if (asked.mode === "customer") return {};
  const query: Query = { ask: asked.mode };
  if (asked.type) query.type = asked.type;
  if (asked.mode === "call") for (const [name, value] of Object.entries(asked.values)) query[VALUE + name] = value;
  for (const [name, text] of Object.entries(asked.dimensions)) if (text !== "") query[DIMENSION + name] = text;
  const blank = Object.keys(asked.dimensions).filter((name) => asked.dimensions[name] === "");
  if (blank.length > 0) query[BLANK] = blank.join(",");
  return query;
}

/** A request that is asked about has these dimensions and no others, and a call these values. */
export function requestOf(customerId: string, asked: Asked): Req<"limits.explain"> {
  if (asked.mode === "customer") return { customerId };
  return {
    customerId,
    ...(asked.type ? { eventType: asked.type } : {}),
    dimensions: asked.dimensions,
    ...(asked.mode === "call" ? { values: asked.values } : {}),
  };
}

/** A refused call, asked again. */
export function ofCall(call: Pick<RefusedCall, "eventType" | "values" | "dimensions">): Asked {
  return { mode: "call", type: call.eventType, values: call.values, dimensions: call.dimensions };
}

/** Where a refused call is explained, as it would fare now. */
export function explainHref(call: Pick<RefusedCall, "customerId" | "eventType" | "values" | "dimensions">): string {
  return href("customers", call.customerId, "simulator", queryOf(ofCall(call)));
}

/** Whether two ask the same, in whatever order they name it. */
export function sameAsked(a: Asked, b: Asked): boolean {
  const plain = (asked: Asked) => JSON.stringify(Object.entries(queryOf(asked)).sort());
  return plain(a) === plain(b);
}
