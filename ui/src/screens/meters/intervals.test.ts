import { expect, it } from "vitest";
import { span } from "$lib/format/time";
import { intervalsFor } from "./intervals";

it("offers what cuts a range into some and not too many", () => {
  expect(intervalsFor(span.HOUR)).toEqual(["1m", "15m", "hour"]);
  expect(intervalsFor(7 * span.DAY)).toEqual(["15m", "hour", "day"]);
  expect(intervalsFor(365 * span.DAY)).toEqual(["day", "week", "month"]);
});

it("offers minutes up to a day only", () => {
  expect(intervalsFor(span.DAY)).toContain("1m");
  expect(intervalsFor(span.DAY + 1)).not.toContain("1m");
});
