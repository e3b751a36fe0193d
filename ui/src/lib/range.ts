/** What stretch of time a screen shows, and how finely it is cut. */
import type { Interval, Status } from "./api/types";
import { millis, span } from "./format/time";
import type { Query } from "./state/router.svelte";

export const PRESETS = ["data", "1h", "24h", "7d", "30d", "90d"] as const;
export type Preset = (typeof PRESETS)[number];

export interface Range {
  id: Preset | "custom";
  from: number;
  to: number;
  interval: Interval;
}

const LENGTH: Record<Exclude<Preset, "data">, number> = {
  "1h": span.HOUR,
  "24h": span.DAY,
  "7d": 7 * span.DAY,
  "30d": 30 * span.DAY,
  "90d": 90 * span.DAY,
};

/** Buckets that are the same in every zone, so that edges can be put on them here. */
const FINE: Partial<Record<Interval, number>> = { "1m": span.MINUTE, "15m": 15 * span.MINUTE };

/** Fine enough to see the shape, coarse enough to read. */
export function intervalFor(length: number): Interval {
  if (length <= 3 * span.HOUR) return "1m";
  if (length <= 36 * span.HOUR) return "15m";
  if (length <= 14 * span.DAY) return "hour";
  if (length <= 180 * span.DAY) return "day";
  if (length <= 3 * 365 * span.DAY) return "week";
  return "month";
}

type Known = Pick<Status, "firstEventAt" | "lastEventAt"> | undefined;

/** The range to open on: where the data is. Usage that still comes in is shown from now back, old usage as it lies. */
export function defaultPreset(status: Known, now: number): Preset {
  if (!status?.firstEventAt || !status.lastEventAt) return "24h";
  const [first, last] = [millis(status.firstEventAt), millis(status.lastEventAt)];
  if (last < now - span.DAY || last - first <= span.DAY) return "data";
  return "7d";
}

/** The range that an address asks for. What it does not say, or says wrongly, is the default. */
export function rangeOf(query: Query, status: Known, now: number): Range {
  if (query.range === "custom") {
    const [from, to] = [Date.parse(query.from ?? ""), Date.parse(query.to ?? "")];
    if (from < to) return { id: "custom", from, to, interval: intervalFor(to - from) };
  }
  const id = PRESETS.find((preset) => preset === query.range) ?? defaultPreset(status, now);
  if (id === "data" && status?.firstEventAt && status.lastEventAt) {
    return { id, ...onGrid(millis(status.firstEventAt), millis(status.lastEventAt) + 1) };
  }
  const length = LENGTH[id === "data" ? "24h" : id];
  // To the next full minute, so that what is asked changes once a minute and not with every tick.
  const to = Math.ceil(now / span.MINUTE) * span.MINUTE;
  return { id, from: to - length, to, interval: intervalFor(length) };
}

/** The equally long range just before. */
export function before(range: Range): { from: number; to: number } {
  return { from: range.from - (range.to - range.from), to: range.from };
}

function onGrid(from: number, to: number): { from: number; to: number; interval: Interval } {
  const interval = intervalFor(to - from);
  const step = FINE[interval] ?? span.MINUTE;
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, interval };
}
