/** How finely a stretch of time can be cut. */
import type { Interval } from "$lib/api/types";
import { span } from "$lib/format/time";

const LENGTH: Record<Interval, number> = {
  "1m": span.MINUTE,
  "15m": 15 * span.MINUTE,
  hour: span.HOUR,
  day: span.DAY,
  week: 7 * span.DAY,
  month: 30 * span.DAY,
};

/** More bars than this are narrower than they can be told apart. */
const MOST = 1_500;
/** Single minutes are read from the events themselves, for short ranges only. */
const MINUTES = span.DAY;

/** Those that cut the stretch into at least one and not too many. */
export function intervalsFor(length: number): Interval[] {
  return (Object.keys(LENGTH) as Interval[]).filter((interval) => {
    const step = LENGTH[interval];
    return length / step <= MOST && (interval !== "1m" || length <= MINUTES) && (step < length || interval === "hour");
  });
}
