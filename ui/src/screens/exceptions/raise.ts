/** A raise as it is written: its value, and until when. */
import type { Q, Standing } from "$lib/api/types";
import { parseQuantity } from "$lib/format/field";
import { add, compare, formatExact, quantity, nanos, zero } from "$lib/format/quantity";
import { formatDeadline, fromLocal, localMillis, millis, span } from "$lib/format/time";
import { t } from "$lib/strings";

export type PresetId = "window" | "friday" | "week" | "seven";

export interface Preset {
  id: PresetId;
  at: number;
}

const FRIDAY = 5;

/** Ends to choose from, by the customer's clock; no two the same. */
export function presets(now: number, zone: string, windowEnd: number | null): Preset[] {
  const wall = localMillis(now, zone);
  const today = Math.floor(wall / span.DAY) * span.DAY;
  const weekday = new Date(today).getUTCDay();
  const evening = today + ((FRIDAY - weekday + 7) % 7) * span.DAY + 18 * span.HOUR;
  const friday = evening > wall ? evening : evening + 7 * span.DAY;
  const monday = today + (((8 - weekday) % 7) || 7) * span.DAY;
  const seven = Math.floor(wall / span.MINUTE) * span.MINUTE + 7 * span.DAY;
  const all: Preset[] = [
    ...(windowEnd === null ? [] : [{ id: "window" as const, at: windowEnd }]),
    { id: "friday", at: fromLocal(friday, zone) },
    { id: "week", at: fromLocal(monday, zone) },
    { id: "seven", at: fromLocal(seven, zone) },
  ];
  return all.filter((each, i) => all.findIndex((other) => other.at === each.at) === i);
}

/** The new value; `+10,000` is that much more than at present. Null where it is none. */
export function readValue(text: string, present: Q): Q | null {
  const typed = parseQuantity(text);
  if (typed === null) return null;
  return text.trim().startsWith("+") ? add(present, typed) : typed;
}

/** The limit's value without a raise. */
export function ownValue(standing: Standing): Q {
  return standing.raised?.ownValue ?? standing.limit;
}

/** “1,000 tokens per day” in two parts. */
export function amount(value: Q, standing: Standing): [amount: string, per: string] {
  return [formatExact(value, standing.unit), t.limits.per[standing.period]];
}

function left(value: Q, standing: Standing): Q {
  const rest = nanos(value) - nanos(standing.used) - nanos(standing.held);
  return rest > 0n ? quantity(rest) : zero;
}

/** Why a value is none to raise a limit to; null where it is one. */
export function tooLow(standing: Standing, value: Q): string | null {
  const own = ownValue(standing);
  return compare(value, own) <= 0 ? t.exceptions.raise.tooLow(amount(own, standing)[0]) : null;
}

/** What a raise will do, in sentences; null where there is nothing to be said yet. */
export function effectOf(standing: Standing, who: string, value: Q | null, until: number | null, zone: string, now: number): string[] | null {
  if (value === null || until === null || until <= now) return null;
  const low = tooLow(standing, value);
  if (low !== null) return [low];
  const own = ownValue(standing);
  const words = t.exceptions.raise;
  const [to, per] = amount(value, standing);
  const end = formatDeadline(until, now, zone);
  const said = [(standing.enforcement === "hard" ? words.does : words.doesSoft)(who, to, formatExact(own), per, end)];
  said.push(words.left(formatExact(standing.used), formatExact(left(value, standing)), formatExact(standing.remaining)));
  if (standing.raised) said.push(words.replaces(formatExact(standing.limit), formatDeadline(millis(standing.raised.until), now, zone)));
  return said;
}

/** What taking the raise back will do. */
export function endOf(standing: Standing, who: string): string {
  const words = t.exceptions.raise;
  const own = ownValue(standing);
  const [to, per] = amount(own, standing);
  if (standing.enforcement === "soft") return words.endsSoft(who, to, per);
  const over = nanos(standing.used) + nanos(standing.held) >= nanos(own);
  return over ? `${words.ends(who, to, per)} ${words.endsOver(formatExact(standing.used))}` : words.ends(who, to, per);
}
