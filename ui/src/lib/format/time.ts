/** Instants, zones and durations as people read them. */
import { locale, viewerZone } from "$lib/env/locale";
import type { Time } from "$lib/api/types";

export const here = viewerZone();

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const span = { SECOND, MINUTE, HOUR, DAY };

/** Milliseconds since 1970; the microseconds of the wire are cut. */
export function millis(time: Time): number {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new RangeError(`not a time: ${time}`);
  return ms;
}

export function toTime(ms: number): Time {
  return new Date(ms).toISOString();
}

const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
const relativeLong = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * DAY],
  ["month", 30 * DAY],
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
];

/** `5m ago`, `in 3h`, `yesterday`. */
export function formatRelative(ms: number, now: number, long = false): string {
  const format = long ? relativeLong : relative;
  const distance = ms - now;
  for (const [unit, size] of STEPS) {
    if (Math.abs(distance) >= size) return format.format(Math.trunc(distance / size), unit);
  }
  const seconds = Math.trunc(distance / SECOND);
  return Math.abs(seconds) < 5 ? format.format(0, "second") : format.format(seconds, "second");
}

/** How long until: `2d 4h`, `3h 12m`, `4m 05s`. Never negative. */
export function formatDuration(ms: number): string {
  const left = Math.max(0, Math.floor(ms / SECOND));
  const [d, h, m, s] = [Math.floor(left / 86_400), Math.floor(left / 3_600) % 24, Math.floor(left / 60) % 60, left % 60];
  if (d >= 3) return unit(d, "day");
  if (d > 0) return `${unit(d, "day")} ${unit(h, "hour")}`;
  if (h > 0) return `${unit(h, "hour")} ${unit(m, "minute")}`;
  if (m > 0) return `${unit(m, "minute")} ${unit(s, "second")}`;
  return unit(s, "second");
}

const units = new Map<string, Intl.NumberFormat>();

function unit(count: number, name: "day" | "hour" | "minute" | "second"): string {
  let format = units.get(name);
  if (!format) {
    format = new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "narrow" });
    units.set(name, format);
  }
  return format.format(count);
}

export type Precision = "day" | "minute" | "second";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string, precision: Precision, named: boolean): Intl.DateTimeFormat {
  const key = `${zone} ${precision} ${named}`;
  let format = formats.get(key);
  if (!format) {
    const options: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "numeric", timeZone: knownZone(zone) };
    if (precision !== "day") Object.assign(options, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    if (precision === "second") options.second = "2-digit";
    if (named) options.timeZoneName = "short";
    format = new Intl.DateTimeFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}

/** `Nov 16, 2023, 18:17:03`, in the zone; with the zone's short name where `named`. */
export function formatInstant(ms: number, zone: string, precision: Precision = "second", named = false): string {
  return formatter(zone, precision, named).format(ms);
}

/** A moment of the coming days, shortly: `Thu 14:00` within six days, `Nov 16` or `Nov 16, 2023` beyond. */
export function formatAhead(ms: number, now: number, zone: string): string {
  const near = ms - now < 6 * DAY;
  const sameYear = new Date(localMillis(ms, zone)).getUTCFullYear() === new Date(localMillis(now, zone)).getUTCFullYear();
  const key = `ahead ${zone} ${near} ${sameYear}`;
  let format = formats.get(key);
  if (!format) {
    const options: Intl.DateTimeFormatOptions = near
      ? { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
      : { month: "short", day: "numeric", ...(sameYear ? {} : { year: "numeric" }) };
    format = new Intl.DateTimeFormat(locale, { ...options, timeZone: knownZone(zone) });
    formats.set(key, format);
  }
  return format.format(ms);
}

/** An instant ahead, by its weekday: `Friday, Nov 27, 18:00`; with its year where that is not this one. */
export function formatDeadline(ms: number, now: number, zone: string): string {
  const sameYear = new Date(localMillis(ms, zone)).getUTCFullYear() === new Date(localMillis(now, zone)).getUTCFullYear();
  const key = `deadline ${zone} ${sameYear}`;
  let format = formats.get(key);
  if (!format) {
    const options: Intl.DateTimeFormatOptions = { weekday: "long", month: "short", day: "numeric", timeZone: knownZone(zone) };
    if (!sameYear) options.year = "numeric";
    format = new Intl.DateTimeFormat(locale, { ...options, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    formats.set(key, format);
  }
  return format.format(ms);
}

/** A zone that this system knows; an unknown one reads as UTC. */
export function knownZone(zone: string): string {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

/** Zones that browsers still list under a name given up long ago, by the name in use today. */
const RENAMED: Record<string, string> = {
  "Africa/Asmera": "Africa/Asmara",
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
  "America/Catamarca": "America/Argentina/Catamarca",
  "America/Coral_Harbour": "America/Atikokan",
  "America/Cordoba": "America/Argentina/Cordoba",
  "America/Godthab": "America/Nuuk",
  "America/Indianapolis": "America/Indiana/Indianapolis",
  "America/Jujuy": "America/Argentina/Jujuy",
  "America/Louisville": "America/Kentucky/Louisville",
  "America/Mendoza": "America/Argentina/Mendoza",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
  "Pacific/Enderbury": "Pacific/Kanton",
  "Pacific/Ponape": "Pacific/Pohnpei",
  "Pacific/Truk": "Pacific/Chuuk",
};

/** Every zone to choose from, UTC first. */
export function allZones(): string[] {
  const zones = Intl.supportedValuesOf("timeZone").map((zone) => RENAMED[zone] ?? zone);
  return ["UTC", ...[...new Set(zones)].filter((zone) => zone !== "UTC").sort()];
}

/** The wall clock of a zone as if it were UTC: for cutting at local midnights and filling date fields. */
export function localMillis(ms: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const part of wallClock(zone).formatToParts(ms)) parts[part.type] = Number(part.value);
  const { year, month, day, hour, minute, second } = parts as Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((ms % SECOND) + SECOND) % SECOND);
}

function wallClock(zone: string): Intl.DateTimeFormat {
  const key = `wall ${zone}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: knownZone(zone),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(key, format);
  }
  return format;
}

/** The instant at which a zone's wall clock shows this (given as if it were UTC). In a gap: the first instant after it. */
export function fromLocal(wall: number, zone: string): number {
  let guess = wall;
  for (let i = 0; i < 3; i++) {
    const off = localMillis(guess, zone) - wall;
    if (off === 0) return guess;
    guess -= off;
  }
  return guess;
}

/** When the day of this instant began, by the zone's wall clock. */
export function startOfDay(ms: number, zone: string): number {
  return fromLocal(Math.floor(localMillis(ms, zone) / DAY) * DAY, zone);
}

/** `2023-11-16T18:17` for a `datetime-local` field. */
export function toField(ms: number, zone: string): string {
  return new Date(localMillis(ms, zone)).toISOString().slice(0, 16);
}

export function fromField(text: string, zone: string): number | null {
  const wall = Date.parse(`${text}Z`);
  return Number.isNaN(wall) ? null : fromLocal(wall, zone);
}

/** `Nov 16, 2023, 18:15 – 19:14`: the day is said once when it is the same. */
export function formatRange(from: number, to: number, zone: string): string {
  const precision: Precision = to - from > 60 * DAY ? "day" : "minute";
  return formatter(zone, precision, false).formatRange(from, to);
}

/** A window: whole local days are named as days, `Nov 1 – 30, 2026`; anything finer with its clock times. Given `now`, this year goes without saying. */
export function formatWindow(from: number, to: number, zone: string, now?: number): string {
  const whole = localMillis(from, zone) % DAY === 0 && localMillis(to, zone) % DAY === 0;
  if (!whole) return formatter(zone, "minute", false).formatRange(from, to);
  const yearOf = (ms: number) => new Date(localMillis(ms, zone)).getUTCFullYear();
  const plain = now !== undefined && yearOf(from) === yearOf(now) && yearOf(to - 1) === yearOf(now);
  return (plain ? dayOfThisYear(zone) : formatter(zone, "day", false)).formatRange(from, to - 1);
}

function dayOfThisYear(zone: string): Intl.DateTimeFormat {
  const key = `this year ${zone}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: knownZone(zone) });
    formats.set(key, format);
  }
  return format;
}
