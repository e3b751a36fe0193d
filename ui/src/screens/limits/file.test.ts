import { describe, expect, it } from "vitest";
import type { Q, StatedLimit, SyncAnswer, SyncChange } from "$lib/api/types";
import { apartFrom, changesIn, fieldsOfChange, lineOf, newlyRefusing, spanOf } from "./file";

const text = `# ours
[[limit]]
name = "a"
limitValue = 1

  [[ limit ]]
name = "b"
"period" = "day"
dimensionFilters.model = "x"
`;

describe("where a fault stands", () => {
  it("is the field's line, or else its limit's", () => {
    expect(lineOf(text, 0, "limits[0].limitValue")).toBe(3);
    expect(lineOf(text, 1, "limits[1].period")).toBe(7);
    expect(lineOf(text, 1, "limits[1].dimensionFilters.model")).toBe(8);
    expect(lineOf(text, 0, "limits[0].period"), "not the next limit's").toBe(1);
    expect(lineOf(text, 1, "limits[1]")).toBe(5);
    expect(lineOf(text, 2)).toBe(null);
    expect(lineOf("limit = []", 0)).toBe(null);
  });

  it("is found in the text", () => {
    const [from, to] = spanOf(text, 3);
    expect(text.slice(from, to)).toBe("limitValue = 1");
  });
});

describe("a plan", () => {
  const limit = { name: "a", meter: "m", limitValue: "0.1", period: "day", dimensionFilters: {}, alertThresholds: [80], enforcement: "hard", enabled: true } as unknown as StatedLimit;
  const change = (more: Partial<SyncChange>): SyncChange => ({ action: "update", name: "a", customerId: null, ...more });

  it("says field by field what differs, to the last digit", () => {
    const before = { ...limit, limitValue: "123456789012345678.123456789" } as unknown as StatedLimit;
    expect(fieldsOfChange(change({ before, after: limit }))).toEqual([
      { field: "limitValue", before: "123456789012345678.123456789", after: "0.1" },
    ]);
    expect(fieldsOfChange(change({ action: "archive", before }))).toEqual([]);
    expect(fieldsOfChange(change({ action: "create", after: limit })).map(({ field }) => field)).toEqual([
      "meter",
      "limitValue",
      "period",
      "alertThresholds",
      "enforcement",
      "enabled",
    ]);
  });

  it("counts what changes", () => {
    expect(changesIn({ applied: false, created: 1, updated: 2, unchanged: 9, archived: 3, changes: [] })).toBe(6);
  });
});

describe("whom a plan would refuse", () => {
  const stated = (more: Partial<StatedLimit> = {}): StatedLimit => ({
    name: "Daily",
    meter: "Calls",
    limitValue: "100" as Q,
    period: "day",
    dimensionFilters: {},
    alertThresholds: [100],
    enforcement: "hard",
    enabled: true,
    ...more,
  });
  const meterId = (limit: StatedLimit) => `id of ${limit.meter}`;
  const change = (before: StatedLimit | null, after: StatedLimit | null, customerId: string | null = null): SyncChange => ({
    action: before === null ? "create" : after === null ? "archive" : "update",
    name: "Daily",
    customerId,
    before,
    after,
  });

  it("is looked up where a change may refuse anew", () => {
    expect(newlyRefusing(change(null, stated()), meterId)).toMatchObject({ meterId: "id of Calls", value: "100", customerId: "" });
    expect(newlyRefusing(change(stated({ enabled: false }), stated()), meterId)).not.toBeNull();
    expect(newlyRefusing(change(stated({ enforcement: "soft" }), stated()), meterId)).not.toBeNull();
    expect(newlyRefusing(change(stated(), stated({ limitValue: "5" as Q })), meterId)).not.toBeNull();
    expect(newlyRefusing(change(stated(), stated({ alertThresholds: [] })), meterId)).toBeNull();
    expect(newlyRefusing(change(null, stated({ enabled: false })), meterId)).toBeNull();
    expect(newlyRefusing(change(null, stated({ enforcement: "soft" })), meterId)).toBeNull();
    expect(newlyRefusing(change(stated(), null), meterId)).toBeNull();
  });

  it("leaves out whom the same plan gives a limit of their own", () => {
    const plan = {
      changes: [
        change(null, stated()),
        change(null, stated(), "own"),
        change(null, stated({ enabled: false }), "off"),
        change(null, stated({ period: "hour" }), "other"),
        change(stated(), null, "gone"),
      ],
    } as SyncAnswer;
    expect(apartFrom(newlyRefusing(plan.changes[0]!, meterId)!, plan, meterId)).toEqual(["own"]);
    expect(apartFrom(newlyRefusing(plan.changes[1]!, meterId)!, plan, meterId)).toEqual([]);
  });
});
