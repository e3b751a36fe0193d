import { describe, expect, it } from "vitest";
import type { Balance, Q, Transaction } from "$lib/api/types";
import { newKey } from "$lib/once";
import { changes, draftOf, emptyDraft, errorsUnder, read, readPer, reverse, type Draft } from "./draft";
import { captureOf, effectOf as effectOfMove, readAmount, readPriority } from "./move";
import { boundsOf, monthOf, periodOf } from "./period";
import { beforeOf, burnHint, effectOf, lastsWords, meteredWords, paidText, recurringWords, signed, topUpWords, wantsTopUp, whatOf } from "./words";

const q = (text: string) => text as Q;

const balance: Balance = {
  id: "bal_1",
  projectId: "prj_1",
  customerId: "acme",
  customerName: null,
  name: "Credits",
  unit: "credits",
  currentBalance: q("10"),
  heldBalance: q("2"),
  minimumBalance: q("1"),
  availableBalance: q("7"),
  lowBalanceThreshold: q("5"),
  low: false,
  topUp: { below: q("3"), amount: q("100") },
  dimensionFilters: { model: "large" },
  priority: 100,
  metered: { meterId: "mtr_1", amount: q("3"), per: 1000, enforcement: "hard" },
  recurringCredit: { amount: q("50"), mode: "add", period: "month", expires: true, priority: 10, source: "promotional" },
  nextRecurringAt: null,
  nextExpiry: null,
  burn: { from: "2026-03-01T00:00:00Z", spent: q("0"), perDay: null, daysLeft: null },
  version: 1,
  createdAt: "2026-03-01T00:00:00Z",
  updatedAt: "2026-03-01T00:00:00Z",
  archivedAt: null,
};

describe("a movement before it is sent", () => {
  it("takes amounts above zero, and of a correction anything but zero", () => {
    expect([readAmount("1,000.5", "credit"), readAmount("0", "debit"), readAmount("-1", "hold"), readAmount("x", "credit")]).toEqual(["1000.5", null, null, null]);
    expect([readAmount("-2.5", "adjust"), readAmount("0", "adjust")]).toEqual(["-2.5", null]);
  });

  it("adds without losing a digit that a float would lose", () => {
    const long = { ...balance, lowBalanceThreshold: null, currentBalance: q("123456789012345678.1"), availableBalance: q("123456789012345675.1") };
    expect(effectOfMove(long, "credit", q("0.2")).said).toEqual([
      "The balance goes from 123,456,789,012,345,678.1 to 123,456,789,012,345,678.3\u202fcredits.",
      "Available: 123,456,789,012,345,675.3\u202fcredits instead of 123,456,789,012,345,675.1.",
    ]);
  });

  it("refuses a debit or hold beyond what is available, and takes exactly that", () => {
    expect(effectOfMove(balance, "debit", q("7")).refused).toBe(false);
    const beyond = effectOfMove(balance, "debit", q("7.000000001"));
    expect(beyond).toEqual({ refused: true, said: ["Too little: it has only 7\u202fcredits available, so this is refused."] });
    expect(effectOfMove({ ...balance, availableBalance: q("-1") }, "hold", q("1")).said).toEqual(["Nothing can be taken: it has -1\u202fcredits available, so this is refused."]);
  });

  it("holds without moving the balance", () => {
    expect(effectOfMove(balance, "hold", q("3")).said).toEqual([
      "Held: 5\u202fcredits instead of 2.",
      "Available: 4\u202fcredits instead of 7.",
      "The balance stays 10\u202fcredits.",
    ]);
  });

  it("says when it becomes low and when it no longer is, and that a correction goes below the minimum", () => {
    expect(effectOfMove(balance, "debit", q("5")).said.at(-1)).toBe("It will be low: at 5\u202fcredits or below.");
    expect(effectOfMove({ ...balance, currentBalance: q("5"), availableBalance: q("2"), low: true }, "credit", q("1")).said.at(-1)).toBe("It will no longer be low.");
    const { refused, said } = effectOfMove({ ...balance, lowBalanceThreshold: null }, "adjust", q("-20"));
    expect([refused, said.at(-1)]).toEqual([false, "It will be below its minimum."]);
  });

  it("captures less and frees the rest, or more as far as that is available", () => {
    const plain = { ...balance, lowBalanceThreshold: null };
    const hold = { amount: q("2") };
    expect(captureOf(plain, hold, q("0.5")).said).toEqual([
      "The balance goes from 10 to 9.5\u202fcredits.",
      "1.5\u202fcredits of the hold is free again.",
      "Available: 8.5\u202fcredits instead of 7.",
    ]);
    expect(captureOf(plain, hold, q("9"))).toMatchObject({ refused: false, said: ["The balance goes from 10 to 1\u202fcredits.", "7\u202fcredits more than held.", "Available: 0\u202fcredits instead of 7."] });
    expect(captureOf(plain, hold, q("9.1"))).toEqual({ refused: true, said: ["Too little: it has only 9\u202fcredits available, so this is refused."] });
    // What is held can always be captured, also of a balance in debt.
    expect(captureOf({ ...plain, availableBalance: q("-5") }, hold, q("2")).refused).toBe(false);
    expect(captureOf({ ...plain, availableBalance: q("-5") }, hold, q("2.1")).said).toEqual(["Too little: it has only 2\u202fcredits available, so this is refused."]);
  });

  it("reads priorities as whole numbers up to 1,000", () => {
    expect(["0", " 1000 ", "1001", "1.5", "", "-1"].map(readPriority)).toEqual([0, 1000, null, null, null, null]);
  });

  it("has a key of its own, also where the page is no secure context", () => {
    expect(new Set([newKey(), newKey(), newKey()]).size).toBe(3);
    const { randomUUID } = crypto;
    Object.assign(crypto, { randomUUID: undefined });
    try {
      expect(newKey()).toMatch(/^[0-9a-f]{32}$/);
    } finally {
      Object.assign(crypto, { randomUUID });
    }
  });
});

describe("a balance in words", () => {
  it("says what usage costs, what comes again and when a top-up is wanted", () => {
    expect(meteredWords(balance.metered!, "credits", "total_tokens")).toBe("3\u202fcredits for every 1,000 of total_tokens, refuses when it cannot pay");
    expect(meteredWords({ ...balance.metered!, per: 1, enforcement: "soft" }, null, undefined)).toBe("3 for every 1 of an unknown meter, goes into debt when it cannot pay");
    expect(recurringWords(balance.recurringCredit!, "credits")).toBe("Adds 50\u202fcredits every month, each expires as the next comes");
    expect(recurringWords({ ...balance.recurringCredit!, mode: "up_to", period: "day", expires: false }, null)).toBe("Fills up to 50 every day");
    expect(topUpWords(balance.topUp!, "credits")).toBe("Asks for 100\u202fcredits when it falls to 3");
    expect([wantsTopUp(balance), wantsTopUp({ ...balance, currentBalance: q("3") })]).toEqual([false, true]);
  });

  it("says how long it lasts, and by which rate", () => {
    const burn = (more: Partial<Balance["burn"]>) => ({ ...balance.burn, ...more });
    expect(lastsWords(burn({ perDay: q("2"), daysLeft: 1234 }))).toBe("1,234 days");
    expect(lastsWords(burn({ perDay: q("20"), daysLeft: 0 }))).toBe("< 1 day");
    expect([lastsWords(burn({ perDay: q("0") })), lastsWords(burn({}))]).toEqual(["Unspent", "–"]);
    expect(burnHint({ ...balance, burn: burn({ spent: q("12.5"), perDay: q("2") }) }, "UTC")).toBe("12.5\u202fcredits debited since Mar 1, 2026, 00:00");
    expect(burnHint(balance, "UTC")).toBe("In its first hour there is no rate yet.");
  });

  it("signs what an entry moved, and knows what was before it", () => {
    const entry = (type: Transaction["type"], amount: string, balanceAfter: string) => ({ type, amount: q(amount), balanceAfter: q(balanceAfter) }) as Transaction;
    const [credit, debit, expiry, down] = [entry("credit", "5", "12"), entry("debit", "5", "7"), entry("expiry", "1", "-1"), entry("adjustment", "-2.5", "0")];
    expect([credit, debit, expiry, down].map(effectOf)).toEqual(["5", "-5", "-1", "-2.5"]);
    expect([credit, debit, expiry, down].map(beforeOf)).toEqual(["7", "12", "0", "2.5"]);
    expect([signed(effectOf(credit), "credits"), signed(effectOf(down))]).toEqual(["+5\u202fcredits", "-2.5"]);
  });

  it("says what an entry is about, and what paid it", () => {
    const cause = { kind: "event" } as Transaction["cause"];
    expect([whatOf({ description: "", cause }), whatOf({ description: "render", cause })]).toEqual(["Usage", "render"]);
    expect(paidText({ paidBy: [{ grantId: "txn_1", amount: q("5") }, { grantId: null, amount: q("0.5") }] })).toBe("txn_1 5; owed 0.5");
  });
});

describe("a balance as it is written", () => {
  const draft: Draft = { ...emptyDraft, customerId: "acme", name: " Credits ", unit: "credits", initial: "1,000", low: "-5" };

  it("becomes what the engine takes", () => {
    expect(read(draft)).toEqual({
      balance: {
        customerId: "acme",
        name: "Credits",
        unit: "credits",
        minimumBalance: "0",
        initialBalance: "1000",
        lowBalanceThreshold: "-5",
        topUp: null,
        dimensionFilters: {},
        priority: 100,
        metered: null,
        recurringCredit: null,
      },
      errors: {},
    });
  });

  it("says what cannot be read, by the engine's names, and only of what is switched on", () => {
    const wrong = { ...emptyDraft, minimum: "much", initial: "-1", topUp: { on: true, amount: "", below: "1" }, metered: { ...emptyDraft.metered, on: true, amount: "3", per: "0" } };
    const { balance: written, errors } = read(wrong);
    expect(written).toBeNull();
    expect(Object.keys(errors).sort()).toEqual(["customerId", "initialBalance", "metered.meterId", "metered.per", "minimumBalance", "name", "topUp.amount"]);
    expect(errorsUnder(errors, "metered")).toEqual(["Enter a whole number from 1 to 1,000,000,000.", "Choose a meter."]);
    expect(["1", "1,000,000,000", "1000000001", "1.5", "-1"].map(readPer)).toEqual([1, 1_000_000_000, null, null, null]);
  });

  it("read back from a balance changes nothing, and a change can be taken back", () => {
    const same = read(draftOf(balance)).balance!;
    expect(changes(same, balance)).toEqual({});
    const edited = read({ ...draftOf(balance), unit: "", low: "", metered: { ...draftOf(balance).metered, per: "500" }, recurring: { ...draftOf(balance).recurring, on: false }, dimensions: {} });
    const change = changes(edited.balance!, balance);
    expect(change).toEqual({
      unit: null,
      lowBalanceThreshold: null,
      metered: { meterId: "mtr_1", amount: "3", per: 500, enforcement: "hard" },
      recurringCredit: null,
      dimensionFilters: {},
    });
    expect(reverse(change, balance)).toEqual({
      unit: "credits",
      lowBalanceThreshold: "5",
      metered: balance.metered,
      recurringCredit: balance.recurringCredit,
      dimensionFilters: { model: "large" },
    });
  });
});

describe("the period of a statement", () => {
  const now = Date.parse("2026-03-31T20:00:00Z");

  it("is a month by the customer's own calendar", () => {
    // In Kathmandu, 5:45 ahead, April has begun.
    expect(boundsOf(monthOf(now, "Asia/Kathmandu"))).toEqual({ from: "2026-03-31T18:15:00.000Z", to: "2026-04-30T18:15:00.000Z" });
    expect(boundsOf(periodOf({ period: "last" }, now, "Asia/Kathmandu"))).toEqual({ from: "2026-02-28T18:15:00.000Z", to: "2026-03-31T18:15:00.000Z" });
    // Over a change of the clocks, and over a year's end.
    expect(boundsOf(monthOf(now, "Europe/Berlin"))).toEqual({ from: "2026-02-28T23:00:00.000Z", to: "2026-03-31T22:00:00.000Z" });
    expect(boundsOf(monthOf(Date.parse("2026-01-10T00:00:00Z"), "UTC", 1))).toEqual({ from: "2025-12-01T00:00:00.000Z", to: "2026-01-01T00:00:00.000Z" });
  });

  it("is what the address says, and this month where it says it wrongly", () => {
    expect(boundsOf(periodOf({ period: "all" }, now, "UTC"))).toEqual({});
    const custom = { period: "custom", from: "2026-03-01T00:00:00.000Z", to: "2026-03-02T00:00:00.000Z" };
    expect(boundsOf(periodOf(custom, now, "UTC"))).toEqual({ from: custom.from, to: custom.to });
    for (const wrong of [{ ...custom, to: custom.from }, { ...custom, from: "soon" }, { period: "never" }]) expect(periodOf(wrong, now, "UTC").id).toBe("this");
  });
});
