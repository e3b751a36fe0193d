import { describe, expect, it } from "vitest";
import type { CheckedBalance, CheckedLimit, Q, RateStanding } from "$lib/api/types";
import { because, refusersOf, stood, valuesOf } from "./facts";

const limit = (change: Partial<CheckedLimit> = {}): CheckedLimit => ({
  id: "lmt_1",
  name: "Daily",
  meterId: "mtr_1",
  period: "day",
  limit: "1000" as Q,
  used: "990" as Q,
  held: "0" as Q,
  remaining: "10" as Q,
  exceeded: false,
  reset: 1_700_000_000,
  ...change,
});
const rate: RateStanding = { id: "rtl_1", name: "Burst", window: "minute", limit: 60, remaining: 0, exceeded: true, reset: 1_700_000_000 };
const balance: CheckedBalance = {
  balanceId: "bal_1",
  name: "Credits",
  unit: "credits",
  currentBalance: "5" as Q,
  minimumBalance: "0.5" as Q,
  availableBalance: "4.5" as Q,
  requestedAmount: "6" as Q,
  sufficient: false,
};
const meters = new Map([["mtr_1", { unit: "tokens" }]]);

describe("a refusal in words", () => {
  it("says how a limit stood, with every digit and its unit", () => {
    expect(stood({ kind: "limit", at: limit() }, meters)).toBe("Used 990 of 1,000\u202ftokens per day");
    const long = limit({ used: "123456789012345678.123456788" as Q, limit: "123456789012345678.123456789" as Q, period: "all_time" });
    expect(stood({ kind: "limit", at: long }, new Map())).toBe(
      "Used 123,456,789,012,345,678.123456788 of 123,456,789,012,345,678.123456789 in all",
    );
  });

  it("tells what was held only where something was", () => {
    expect(stood({ kind: "limit", at: limit({ held: "5" as Q }) }, meters)).toBe("Used 990 and held 5 of 1,000\u202ftokens per day");
  });

  it("counts the calls of a rate limit", () => {
    expect(stood({ kind: "rate", at: rate }, meters)).toBe("Used 60 of 60 calls per minute");
    expect(stood({ kind: "rate", at: { ...rate, limit: 1, window: "second" } }, meters)).toBe("Used 1 of 1 call per second");
  });

  it("says what a balance had and what was asked of it", () => {
    expect(stood({ kind: "balance", at: balance }, meters)).toBe("4.5 of 6\u202fcredits available");
  });

  it("gives the reason as a sentence, rate limits first, balances last", () => {
    const [first, second, third] = refusersOf({ limits: [limit()], rateLimits: [rate], balances: [balance] });
    expect(because(third!, meters)).toBe("Credits would have had to pay 6\u202fcredits, and 4.5 was available.");
    expect(because(first!, meters)).toBe("Burst admits 60 calls per minute, and none was left.");
    expect(because(second!, meters)).toBe("With this call, Daily would have gone beyond 1,000\u202ftokens per day.");
  });

  it("lists the values as they were sent", () => {
    expect(valuesOf({ values: { tokens: "20" as Q, cost: "0.000000001" as Q } })).toBe("tokens 20, cost 0.000000001");
    expect(valuesOf({ values: {} })).toBe("");
  });
});
