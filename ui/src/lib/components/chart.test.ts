import { describe, expect, it } from "vitest";
import type { Q } from "$lib/api/types";
import { remainder, stack, type ChartSeries } from "./chart";

const line = (id: string, values: (string | null)[], total: string | null): ChartSeries => ({
  id,
  label: id,
  values: values as (Q | null)[],
  total: total as Q | null,
});

describe("chart layers", () => {
  const a = line("a", ["1", "2", null], "3");
  const b = line("b", ["10", null, null], "10");

  it("stack upwards, and a gap stays a gap", () => {
    expect(stack([a, b], new Set())).toEqual([
      [1, 2, null],
      [11, 2, null],
    ]);
  });

  it("leave out what is hidden", () => {
    expect(stack([a, b], new Set(["a"]))).toEqual([
      [null, null, null],
      [10, null, null],
    ]);
  });

  it("know exactly what the named groups leave over", () => {
    const whole = line("all", ["11.3", "2", "0.000000001"], "13.300000001");
    expect(remainder(whole, [a, b], "rest", "Other")).toMatchObject({
      values: ["0.3", "0", "0.000000001"],
      total: "0.300000001",
      rest: true,
    });
    expect(remainder(line("all", ["11", "2", "0"], "13"), [a, b], "rest", "Other")).toBeNull();
  });
});
