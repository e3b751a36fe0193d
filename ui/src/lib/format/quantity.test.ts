import { describe, expect, it } from "vitest";
import type { Q } from "$lib/api/types";
import * as q from "./quantity";

const Q = (text: string) => text as Q;

describe("quantities", () => {
  it("keep all 27 digits", () => {
    const big = Q("999999999999999999.999999999");
    expect(q.formatExact(big)).toBe("999,999,999,999,999,999.999999999");
    expect(q.quantity(q.nanos(big))).toBe(big);
    expect(q.formatExact(Q("-0.000000001"))).toBe("-0.000000001");
  });

  it("add without drift", () => {
    let sum = q.zero;
    for (let i = 0; i < 10; i++) sum = q.add(sum, Q("0.1"));
    expect(sum).toBe("1");
  });

  it("compare by value, not by text", () => {
    expect(q.compare(Q("9"), Q("10"))).toBe(-1);
    expect(q.compare(Q("1.10"), Q("1.1"))).toBe(0);
    expect(q.compare(Q("-2"), Q("-10"))).toBe(1);
    expect(q.compare(Q("999999999999999999"), Q("999999999999999999.000000001"))).toBe(-1);
  });

  it("refuse what is no quantity", () => {
    for (const bad of ["", "1e3", "NaN", ".5", "1.", "1.0000000001", "--1", " 1"]) {
      expect(() => q.nanos(Q(bad)), bad).toThrow(RangeError);
    }
  });

  it("carry their unit behind a thin space", () => {
    expect(q.formatExact(Q("1500"), "tokens")).toBe("1,500\u202ftokens");
    expect(q.formatExact(Q("1500"), null)).toBe("1,500");
  });
});

describe("short numbers", () => {
  it("are cut, never rounded up", () => {
    expect(q.formatCompact(Q("58400000"))).toBe("58.4M");
    expect(q.formatCompact(Q("999999"))).toBe("999K");
    expect(q.formatCompact(Q("999999999.999"))).toBe("999M");
    expect(q.formatCompact(Q("-12399"))).toBe("-12.3K");
  });

  it("stay exact while they are small", () => {
    expect(q.formatCompact(Q("9999"))).toBe("9,999");
    expect(q.formatCompact(Q("12.345"))).toBe("12.34");
    expect(q.formatCompact(Q("0.000000001"))).toBe("0.000000001");
    expect(q.formatCompact(Q("0"))).toBe("0");
  });
});

describe("percentages", () => {
  it("never round up to a limit that is not reached", () => {
    expect(q.formatPercent(Q("99.97"))).toBe("99.9%");
    expect(q.formatPercent(Q("99.97"), 0)).toBe("99%");
    expect(q.formatPercent(Q("99.97"), 2)).toBe("99.97%");
    expect(q.formatPercent(Q("100"))).toBe("100%");
    expect(q.formatPercent(Q("110.55"))).toBe("110.5%");
  });

  it("are exact for numbers beyond floats", () => {
    expect(q.percentOf(Q("999999999999999999"), Q("1000000000000000000".slice(0, 18)))).toBe("999.99");
    expect(q.percentOf(Q("9999999"), Q("10000000"))).toBe("99.99");
    expect(q.percentOf(Q("1"), q.zero)).toBeNull();
  });

  it("say how much changed", () => {
    expect(q.formatChange(Q("112.5"), Q("100"))).toBe("+12.5%");
    expect(q.formatChange(Q("97"), Q("100"))).toBe("-3%");
    expect(q.formatChange(Q("5"), Q("0"))).toBeNull();
    expect(q.formatChange(Q("5"), Q("5"))).toBe("0%");
  });
});
