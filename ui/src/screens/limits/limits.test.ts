import { describe, expect, it } from "vitest";
import type { Limit, Q, StandingRow } from "$lib/api/types";
import { changes, creation, draftOf, emptyDraft, readThreshold, reverse, suggestName, valueOf } from "./draft";
import { byTaken, isLetOn, judge, newly, refusing, replaced, sourceFor, takenPercent } from "./impact";

const q = (text: string) => text as Q;
const used = (customerId: string, amount: string) => ({ customerId, used: q(amount) });

const limit: Limit = {
  id: "lmt_1",
  projectId: "prj_1",
  name: "Tokens per day",
  meterId: "mtr_1",
  limitValue: q("1000000.5"),
  period: "day",
  customerId: null,
  dimensionFilters: { model: "gpt-4" },
  alertThresholds: [80, 100],
  enforcement: "hard",
  enabled: true,
  version: 3,
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
  archivedAt: null,
};

describe("a limit being written", () => {
  it("keeps its value exact from the wire to the field and back", () => {
    const draft = draftOf(limit);
    expect(draft.value).toBe("1,000,000.5");
    expect(valueOf(draft)).toBe("1000000.5");
    expect(creation(draft, valueOf(draft)!)).toMatchObject({ limitValue: "1000000.5", customerId: null });
  });

  it("takes only numbers above zero", () => {
    expect(valueOf({ value: "0" })).toBeNull();
    expect(valueOf({ value: "-5" })).toBeNull();
    expect(valueOf({ value: "many" })).toBeNull();
    expect(valueOf({ value: "999999999999999999.999999999" })).toBe("999999999999999999.999999999");
  });

  it("suggests a name that says what it holds", () => {
    expect(suggestName({ name: "total_tokens" }, { period: "day", dimensions: { model: "gpt-4" } })).toBe("Total tokens per day, gpt-4");
    expect(suggestName({ name: "requests" }, { period: "all_time", dimensions: {} })).toBe("Requests in all");
    expect(suggestName(undefined, emptyDraft)).toBe("");
  });

  it("reads thresholds as whole percentages", () => {
    expect(readThreshold("80")).toBe("80");
    expect(readThreshold(" 100 %")).toBe("100");
    expect(readThreshold("1000")).toBe("1000");
    for (const wrong of ["0", "1001", "80.5", "-1", "", "all"]) expect(readThreshold(wrong)).toBeNull();
  });

  it("sends only what differs, and can take it back", () => {
    const draft = draftOf(limit);
    expect(changes(draft, limit.limitValue, limit)).toEqual({});
    const change = changes({ ...draft, enforcement: "soft", dimensions: {} }, q("5"), limit);
    expect(change).toEqual({ enforcement: "soft", dimensionFilters: {}, limitValue: "5" });
    expect(reverse(change, limit)).toEqual({ enforcement: "hard", dimensionFilters: { model: "gpt-4" }, limitValue: "1000000.5" });
  });
});

describe("whom a limit would stop", () => {
  const customers = [used("c", "70"), used("a", "150"), used("b", "100")];

  it("is who has used as much or more, to the last digit", () => {
    expect(judge(customers, q("100"), null, false).over.map((each) => each.customerId)).toEqual(["a", "b"]);
    expect(judge(customers, q("100.000000001"), null, false).over.map((each) => each.customerId)).toEqual(["a"]);
  });

  it("names the closest below, its share cut and not rounded up", () => {
    expect(judge([used("a", "99.999")], q("100"), null, false).closest).toEqual({ customerId: "a", used: "99.999", percent: "99.99" });
    expect(judge(customers, q("50"), null, false).closest).toBeNull();
  });

  it("tells those who already were from those who newly are", () => {
    const stricter = judge(customers, q("60"), q("120"), false);
    expect([stricter.over.length, stricter.already, newly(stricter), stricter.relieved]).toEqual([3, 1, 2, 0]);
    const looser = judge(customers, q("120"), q("60"), false);
    expect([looser.over.length, looser.already, newly(looser), looser.relieved]).toEqual([1, 1, 0, 2]);
  });

  it("counts all as new where nothing is refused today", () => {
    expect(refusing(limit)).toBe("1000000.5");
    expect(refusing({ ...limit, enforcement: "soft" })).toBeNull();
    expect(refusing({ ...limit, enabled: false })).toBeNull();
    expect(refusing(null)).toBeNull();
    expect(newly(judge(customers, q("100"), null, false))).toBe(2);
  });

  it("says that there are more only while all that was read is over", () => {
    expect(judge(customers, q("60"), null, true).more).toBe(true);
    expect(judge(customers, q("80"), null, true).more).toBe(false);
    expect(judge([], q("80"), null, true).more).toBe(false);
  });
});

describe("where it is known from", () => {
  const same = { meterId: "mtr_1", period: "day" as const, dimensions: { model: "gpt-4" } };

  it("is the limit's own standings while what it counts stays", () => {
    expect(sourceFor(same, limit)).toBe("standings");
  });

  it("is the meter for whatever is not in force as it is written", () => {
    expect(sourceFor({ ...same, dimensions: {} }, limit)).toBe("usage");
    expect(sourceFor(same, { ...limit, enabled: false })).toBe("usage");
    expect(sourceFor(same, { ...limit, archivedAt: "2026-01-02T00:00:00Z" })).toBe("usage");
    expect(sourceFor({ ...same, period: "all_time" }, null)).toBe("usage");
    expect(sourceFor(same, null)).toBe("usage");
    expect(sourceFor({ ...same, meterId: "", period: "all_time" }, null)).toBeNull();
  });

  it("leaves out customers whose own limit takes its place", () => {
    const own = { ...limit, id: "lmt_2", customerId: "acme" };
    expect([...replaced([limit, own], { ...same, customerId: "" })]).toEqual(["acme"]);
    expect(replaced([own], { ...same, customerId: "acme" }).size).toBe(0);
    expect(replaced([{ ...own, enabled: false }, { ...own, period: "hour" }], { ...same, customerId: "" }).size).toBe(0);
  });
});

describe("where customers stand with a limit", () => {
  const row = (customerId: string, taken: string, held: string) =>
    ({ customerId, customerName: null, standing: { used: q(taken), held: q(held), limit: q("100"), raised: null } }) as unknown as StandingRow;

  it("counts what is held as used, and puts whom it stops first", () => {
    const rows = [row("half", "50", "0"), row("held", "0", "300"), row("both", "20", "40"), row("none", "0", "0")];
    expect(rows.sort(byTaken).map((each) => [each.customerId, takenPercent(each)])).toEqual([
      ["held", "300"],
      ["both", "60"],
      ["half", "50"],
      ["none", "0"],
    ]);
  });

  it("leaves alone whom a raise lets go on, as long as that is not used up", () => {
    const raised = (taken: string, held: string) => ({ standing: { ...row("acme", taken, held).standing, raised: { ownValue: "10" } } }) as StandingRow;
    expect([raised("60", "30"), raised("60", "40"), row("acme", "60", "30")].map(isLetOn)).toEqual([true, false, false]);
  });
});
