/** The present window of a limit, cut for a customer as the engine cuts it. */
import type { Period } from "$lib/api/types";
import { fromLocal, localMillis, span } from "$lib/format/time";

export interface Window {
  from: number;
  /** Exclusive. */
  to: number;
}

const WEEK = 7 * span.DAY;
/** Day 0, the first of 1970, was a Thursday. */
const MONDAY = 4 * span.DAY;

/**
 * The window that holds `now`, by the customer's zone and, for months and years, the local date from which they are
 * counted (`2024-01-31`); null for all time.
 */
export function windowAt(period: Period, zone: string, anchor: string, now: number): Window | null {
  const wall = localMillis(now, zone);
  switch (period) {
    case "all_time":
      return null;
    case "hour": {
      const from = Math.floor(now / span.HOUR) * span.HOUR;
      return { from, to: from + span.HOUR };
    }
    case "day":
      return holding(now, zone, Math.floor(wall / span.DAY), (index) => index * span.DAY);
    case "week":
      return holding(now, zone, Math.floor((wall - MONDAY) / WEEK), (index) => index * WEEK + MONDAY);
    case "month":
      return ofMonths(1, 0);
    case "annual":
      return ofMonths(12, Number.parseInt(anchor.slice(5, 7), 10) - 1);
  }

  function ofMonths(length: number, phase: number): Window {
    const today = new Date(wall);
    const start = (index: number) => dayOfMonth(index * length + phase, Number.parseInt(anchor.slice(8, 10), 10));
    const index = Math.floor((today.getUTCFullYear() * 12 + today.getUTCMonth() - phase) / length);
    return holding(now, zone, start(index) > wall ? index - 1 : index, start);
  }
}

/** The cut that is over last; where the clock was set back over midnight, the one after. */
function holding(now: number, zone: string, index: number, start: (index: number) => number): Window {
  for (let from = fromLocal(start(index), zone); ; index++) {
    const to = fromLocal(start(index + 1), zone);
    if (now < to) return { from, to };
    from = to;
  }
}

/** A day of a month, or the last one there is, of months counted from January of year 0. */
function dayOfMonth(months: number, day: number): number {
  const [year, month] = [Math.floor(months / 12), months % 12];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(day, last));
}
