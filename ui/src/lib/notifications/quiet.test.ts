import { describe, expect, it } from "vitest";
import { isQuiet, minuteOf, quietEnds, type QuietHours } from "./quiet";

const at = (clock: string, day = 10) => new Date(2026, 2, day, Number(clock.slice(0, 2)), Number(clock.slice(3)), 30);
const hours = (from: string, to: string, on = true): QuietHours => ({ on, from, to });

describe("quiet hours", () => {
  it("within a day begin with their first minute and end before their last", () => {
    const lunch = hours("12:00", "13:30");
    expect(["11:59", "12:00", "13:29", "13:30"].map((clock) => isQuiet(lunch, at(clock)))).toEqual([false, true, true, false]);
  });

  it("may lie across midnight", () => {
    const night = hours("22:00", "07:00");
    expect(["21:59", "22:00", "23:59", "00:00", "06:59", "07:00", "12:00"].map((clock) => isQuiet(night, at(clock)))).toEqual([
      false,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("are never where both ends are the same, where they are off, and where an end is no time", () => {
    for (const none of [hours("08:00", "08:00"), hours("00:00", "23:59", false), hours("", "07:00"), hours("24:00", "07:00"), hours("1:00", "07:00")]) {
      expect(isQuiet(none, at("08:00"))).toBe(false);
      expect(isQuiet(none, at("02:00"))).toBe(false);
    }
    expect([minuteOf("00:00"), minuteOf("23:59"), minuteOf("23:60"), minuteOf("noon")]).toEqual([0, 1439, null, null]);
  });

  it("end at the next minute of that name", () => {
    const night = hours("22:00", "07:00");
    expect(quietEnds(night, at("23:15"))).toEqual(new Date(2026, 2, 11, 7, 0));
    expect(quietEnds(night, at("00:15", 11))).toEqual(new Date(2026, 2, 11, 7, 0));
    expect(quietEnds(hours("12:00", "13:30"), at("12:15"))).toEqual(new Date(2026, 2, 10, 13, 30));
    expect(quietEnds(night, at("23:15", 31))).toEqual(new Date(2026, 3, 1, 7, 0));
  });
});
