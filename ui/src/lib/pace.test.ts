import { describe, expect, it } from "vitest";
import { Pace } from "./pace";

describe("pace", () => {
  it("says nothing before it has seen half a second", () => {
    const pace = new Pace();
    pace.mark(0, 0);
    expect(pace.rate).toBeNull();
    pace.mark(100, 400);
    expect(pace.rate).toBeNull();
    expect(pace.left(10)).toBeNull();
  });

  it("divides what was done by the time it took", () => {
    const pace = new Pace();
    pace.mark(0, 0);
    pace.mark(1_000, 2_000);
    expect(pace.rate).toBe(500);
    expect(pace.left(250)).toBe(500);
  });

  it("forgets what is long ago", () => {
    const pace = new Pace(1_000);
    pace.mark(0, 0);
    pace.mark(10_000, 1_000);
    pace.mark(10_100, 2_000);
    pace.mark(10_200, 3_000);
    expect(pace.rate).toBe(100);
  });

  it("begins anew when the count does", () => {
    const pace = new Pace();
    pace.mark(500, 0);
    pace.mark(10, 1_000);
    expect(pace.rate).toBeNull();
    pace.mark(20, 2_000);
    expect(pace.rate).toBe(10);
  });
});
