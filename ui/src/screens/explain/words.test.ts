import { describe, expect, it } from "vitest";
import type { ExplainedBalance, ExplainedLimit, ExplainedRate, Explanation, Q } from "$lib/api/types";
import { balanceReason, headline, onlyAhead, reason, refuses } from "./words";

const q = (text: string) => text as Q;

const limit: ExplainedLimit = {
  limitId: "lmt_1",
  name: "Daily",
  meterId: "mtr_1",
  meterName: "tokens",
  unit: null,
  aggregation: "sum",
  field: "values.tokens",
  period: "day",
  limit: q("10"),
  enforcement: "hard",
  source: "default",
  dimensionFilters: {},
  status: "applies",
  mismatch: null,
  replacedBy: null,
  usage: { windowStart: null, windowEnd: null, used: q("9"), held: q("0"), remaining: q("1"), exceeded: false, utilisation: q("90") },
  share: { value: q("2"), before: q("9"), after: q("11") },
  verdict: "would_exceed",
  refuses: true,
  events: [],
  eventsComplete: true,
};

const rate: ExplainedRate = {
  standing: { id: "rl_1", name: "Burst", window: "minute", limit: 60, remaining: 0, reset: 0, exceeded: true },
  source: "default",
  dimensionFilters: {},
  applies: true,
  mismatch: null,
  refuses: true,
};

const balance: ExplainedBalance = {
  balanceId: "bal_1",
  name: "Credits",
  unit: "credits",
  meterId: "mtr_1",
  meterName: "tokens",
  metered: { meterId: "mtr_1", amount: q("3"), per: 1000, enforcement: "hard" },
  priority: 100,
  dimensionFilters: {},
  applies: true,
  mismatch: null,
  currentBalance: q("5"),
  heldBalance: q("0.5"),
  availableBalance: q("4.5"),
  quantity: q("2000"),
  amount: q("6"),
  refuses: true,
};

const told = (more: Partial<Explanation>): Explanation => ({
  customerId: "acme",
  known: true,
  timezone: "UTC",
  at: "2026-03-10T12:00:00Z",
  allowed: false,
  track: null,
  rateLimits: [],
  limits: [limit],
  balances: [],
  moreDisabled: false,
  ...more,
});

describe("an explanation in words", () => {
  it("names what refuses a call, and by how much", () => {
    const track = { admitted: false, reason: "limit_exceeded" as const, rateLimits: [], limits: ["lmt_1"], balances: [] };
    expect(headline(told({ track }), "call")).toEqual({
      good: false,
      title: "This call would be refused",
      because: ["Daily: would go from 9 to 11, beyond 10 per day."],
    });
  });

  it("takes tracking's word over a check's where a call leaves open what a meter filters by", () => {
    const track = { admitted: true, reason: null, rateLimits: [], limits: [], balances: [] };
    const answer = told({ track });
    expect([headline(answer, "call").good, refuses(limit, answer), onlyAhead(limit, answer)]).toEqual([true, false, true]);
  });

  it("says what limits would do also where rate limits refuse first", () => {
    const track = { admitted: false, reason: "customer_rate_limited" as const, rateLimits: ["rl_1"], limits: [], balances: [] };
    const answer = told({ track, rateLimits: [rate] });
    expect(headline(answer, "call").because).toEqual(["Burst: none of 60 calls per minute is left."]);
    expect([refuses(limit, answer), onlyAhead(limit, answer)]).toEqual([true, false]);
  });

  it("tells of rate limits beside an answer that does not ask them", () => {
    const answer = told({ allowed: true, limits: [], rateLimits: [rate] });
    expect(headline(answer, "customer")).toEqual({
      good: true,
      title: "The customer may go on",
      because: ["A tracked call is refused all the same for now, by Burst."],
    });
  });

  it("names the balance that cannot pay, and what it would have to", () => {
    const track = { admitted: false, reason: "insufficient_balance" as const, rateLimits: [], limits: [], balances: ["bal_1"] };
    expect(headline(told({ track, limits: [], balances: [balance] }), "call").because).toEqual([
      "Credits: would have to pay 6\u202fcredits for 2,000 of tokens, but it has 4.5\u202fcredits available.",
    ]);
    expect(headline(told({ allowed: true, limits: [], balances: [balance] }), "customer").because).toEqual([
      "A tracked call is refused all the same as long as Credits cannot pay for it.",
    ]);
  });

  it("says what a balance pays, owes, or why it does not pay", () => {
    const pays = { ...balance, refuses: false };
    expect(balanceReason({ ...pays, amount: q("4.5") })).toBe("Would pay 4.5\u202fcredits for 2,000 of tokens; it has 4.5\u202fcredits available.");
    expect(balanceReason(pays)).toBe("Would pay 6\u202fcredits for 2,000 of tokens, going into debt: it has 4.5\u202fcredits available.");
    expect(balanceReason({ ...pays, quantity: null, amount: null })).toBe("It has 4.5\u202fcredits available.");
    expect(balanceReason({ ...pays, quantity: q("0"), amount: q("0") })).toBe("Nothing of it is left to pay here; it has 4.5\u202fcredits available.");
    const mismatch = { of: "balance" as const, dimension: "model", wanted: "large", given: null };
    expect(balanceReason({ ...pays, applies: false, mismatch })).toBe("It pays only where model = large, which this request does not have.");
  });

  it("says why a limit has no say", () => {
    const absent: ExplainedLimit = { ...limit, status: "filtered_out", verdict: null, usage: null, share: null, refuses: false };
    const mismatch = { of: "limit" as const, dimension: "model", wanted: "large", given: "small" };
    expect(reason({ ...absent, mismatch })).toBe("It counts only where model = large; here it is small.");
    expect(reason({ ...absent, mismatch: { ...mismatch, given: null } })).toBe("It counts only where model = large, which this request does not have.");
    expect(reason({ ...absent, status: "other_event_type", mismatch: { of: "meter", dimension: "event_type", wanted: "chat", given: "call" } })).toBe("It counts only chat; this is call.");
    expect(reason({ ...absent, status: "disabled" })).toBe("Switched off.");
  });

  it("says what is left, used up, not counted, and taken no further", () => {
    const bare = { ...limit, share: null };
    expect(reason({ ...bare, verdict: "within" })).toBe("1 left of 10 per day.");
    expect(reason({ ...bare, verdict: "used_up", usage: { ...limit.usage!, used: q("7"), held: q("3") } })).toBe("Nothing is left: 7 of 10 per day is used, and 3 held.");
    expect(reason({ ...bare, verdict: "nothing_counted" })).toBe("The call has no tokens, so nothing of it counts here.");
    expect(reason({ ...limit, verdict: "no_further", share: { value: q("-1"), before: q("12"), after: q("11") } })).toBe("It stands at 12, beyond 10 per day, but this call takes it no further up.");
  });
});
