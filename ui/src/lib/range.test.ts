import { describe, expect, it } from "vitest";
import { millis, span, toTime } from "./format/time";
import { before, defaultPreset, intervalFor, rangeOf } from "./range";

const now = millis("2026-05-01T12:00:30Z");
const sample = { firstEventAt: "2023-11-16T18:15:46.680590Z", lastEventAt: "2023-11-16T19:14:19.928016Z" };

describe("ranges", () => {
  it("open on the data's own hour, minute by minute, not on an empty today", () => {
    const range = rangeOf({}, sample, now);
    expect(range.id).toBe("data");
    expect(range.interval).toBe("1m");
    expect(toTime(range.from)).toBe("2023-11-16T18:15:00.000Z");
    expect(toTime(range.to)).toBe("2023-11-16T19:15:00.000Z");
  });

  it("hold the last event also when it lies on the edge of a bucket", () => {
    const at = "2023-11-16T18:15:00Z";
    const range = rangeOf({ range: "data" }, { firstEventAt: at, lastEventAt: at }, now);
    expect(toTime(range.from)).toBe("2023-11-16T18:15:00.000Z");
    expect(toTime(range.to)).toBe("2023-11-16T18:16:00.000Z");
  });

  it("follow usage that still comes in", () => {
    const live = { firstEventAt: toTime(now - 90 * span.DAY), lastEventAt: toTime(now - span.MINUTE) };
    expect(defaultPreset(live, now)).toBe("7d");
    expect(defaultPreset({ firstEventAt: toTime(now - span.HOUR), lastEventAt: toTime(now) }, now)).toBe("data");
    expect(defaultPreset(undefined, now)).toBe("24h");
    expect(rangeOf({ range: "1h" }, live, now).to).toBe(millis("2026-05-01T12:01:00Z"));
  });

  it("take the address at its word, unless it makes no sense", () => {
    const asked = { range: "custom", from: "2024-01-01T00:00:00Z", to: "2024-02-01T00:00:00Z" };
    expect(rangeOf(asked, sample, now)).toMatchObject({ id: "custom", interval: "day" });
    expect(rangeOf({ ...asked, to: "2023-01-01T00:00:00Z" }, sample, now).id).toBe("data");
    expect(rangeOf({ range: "custom" }, sample, now).id).toBe("data");
    expect(rangeOf({ range: "eternity" }, sample, now).id).toBe("data");
  });

  it("never ask for more points than can be read", () => {
    const step = { "1m": span.MINUTE, "15m": 15 * span.MINUTE, hour: span.HOUR, day: span.DAY, week: 7 * span.DAY, month: 30 * span.DAY };
    for (let length = span.MINUTE; length < 20 * 365 * span.DAY; length *= 1.3) {
      expect(length / step[intervalFor(length)]).toBeLessThan(400);
    }
  });

  it("compare with the same length before", () => {
    const range = rangeOf({}, sample, now);
    expect(before(range)).toEqual({ from: range.from - span.HOUR, to: range.from });
  });
});
