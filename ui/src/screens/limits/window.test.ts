import { describe, expect, it } from "vitest";
import type { Period } from "$lib/api/types";
import { windowAt } from "./window";

const at = (period: Period, zone: string, anchor: string, now: string) => {
  const window = windowAt(period, zone, anchor, Date.parse(now));
  return window && [window.from, window.to].map((ms) => new Date(ms).toISOString().replace(".000Z", "Z"));
};

describe("the present window of a limit", () => {
  it("is an hour of UTC, whatever the zone", () => {
    expect(at("hour", "Asia/Kathmandu", "2024-01-01", "2026-03-05T10:59:59Z")).toEqual(["2026-03-05T10:00:00Z", "2026-03-05T11:00:00Z"]);
  });

  it("is a day and a week of the customer's own zone, from midnight and from Monday", () => {
    expect(at("day", "Asia/Kathmandu", "2024-01-01", "2026-03-05T18:15:00Z")).toEqual(["2026-03-05T18:15:00Z", "2026-03-06T18:15:00Z"]);
    expect(at("week", "UTC", "2024-01-01", "2026-03-05T10:00:00Z")).toEqual(["2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"]);
    expect(at("week", "America/New_York", "2024-01-01", "2026-03-09T03:59:00Z")).toEqual(["2026-03-02T05:00:00Z", "2026-03-09T04:00:00Z"]);
  });

  it("is a month from the customer's billing day, or the last day of a month that has no such day", () => {
    expect(at("month", "UTC", "2024-01-15", "2026-03-05T10:00:00Z")).toEqual(["2026-02-15T00:00:00Z", "2026-03-15T00:00:00Z"]);
    expect(at("month", "UTC", "2024-01-15", "2026-03-15T00:00:00Z")).toEqual(["2026-03-15T00:00:00Z", "2026-04-15T00:00:00Z"]);
    expect(at("month", "UTC", "2024-01-31", "2026-03-05T10:00:00Z")).toEqual(["2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]);
    expect(at("month", "UTC", "2024-01-01", "2026-01-01T00:00:00Z")).toEqual(["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]);
  });

  it("is a year from the customer's billing date", () => {
    expect(at("annual", "UTC", "2024-06-10", "2026-03-05T10:00:00Z")).toEqual(["2025-06-10T00:00:00Z", "2026-06-10T00:00:00Z"]);
    expect(at("annual", "UTC", "2024-02-29", "2026-03-05T10:00:00Z")).toEqual(["2026-02-28T00:00:00Z", "2027-02-28T00:00:00Z"]);
  });

  it("has no bounds for all time", () => {
    expect(at("all_time", "UTC", "2024-01-01", "2026-03-05T10:00:00Z")).toBeNull();
  });
});
