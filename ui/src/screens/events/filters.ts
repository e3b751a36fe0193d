/** The filters of the events explorer, as they stand in its address and as the engine takes them. */
import type { Req } from "$lib/api/types";
import { toTime } from "$lib/format/time";
import type { Range } from "$lib/range";
import type { Query } from "$lib/state/router.svelte";

/** Dimensions stand in the address as `d.model=gpt-4`. */
const PREFIX = "d.";
/** Voided events are shown while the address has this. */
const VOIDED = "1";

export function dimensionsOf(query: Query): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) if (name.startsWith(PREFIX)) found[name.slice(PREFIX.length)] = value;
  return found;
}

export function showsVoided(query: Query): boolean {
  return query.voided === VOIDED;
}

/** The change of an address that shows voided events, or hides them again. */
export function withVoided(shown: boolean): Record<string, string | null> {
  return { voided: shown ? VOIDED : null };
}

/** Whether a request leaves out anything but voided events. */
export function isFiltered(request: Req<"events.list">): boolean {
  return Object.keys(request).some((name) => name !== "includeVoided");
}

/** The change of an address that makes these its dimensions. */
export function withDimensions(query: Query, next: Record<string, string>): Record<string, string | null> {
  const change: Record<string, string | null> = {};
  for (const name of Object.keys(dimensionsOf(query))) change[PREFIX + name] = null;
  for (const [name, value] of Object.entries(next)) change[PREFIX + name] = value;
  return change;
}

/** The change of an address that takes every filter away. */
export function withoutFilters(query: Query): Record<string, null> {
  const change: Record<string, null> = { customer: null, type: null, range: null, from: null, to: null };
  for (const name of Object.keys(dimensionsOf(query))) change[PREFIX + name] = null;
  return change;
}

/**
 * What the list asks. Recorded data as a whole and everything up to now have no end, so that new events still come in.
 */
export function requestOf(query: Query, range: Range | null): Req<"events.list"> {
  const dimensions = dimensionsOf(query);
  const request: Req<"events.list"> = {};
  if (query.customer) request.customerId = query.customer;
  if (query.type) request.eventType = query.type;
  if (Object.keys(dimensions).length > 0) request.dimensions = dimensions;
  if (showsVoided(query)) request.includeVoided = true;
  if (range && range.id !== "data") {
    request.from = toTime(range.from);
    if (range.id === "custom") request.to = toTime(range.to);
  }
  return request;
}

/**
 * How many rows came before the newest one known; null when none of those is among them, so there are more than these. The newest
 * known may be gone: voided meanwhile.
 */
export function newerThan(rows: readonly { id: string }[], known: readonly { id: string }[]): number | null {
  const places = new Map(rows.map((row, place) => [row.id, place]));
  for (const { id } of known) {
    const place = places.get(id);
    if (place !== undefined) return place;
  }
  return null;
}
