import { describe, expect, it } from "vitest";
import { ApiFailure } from "$lib/api/errors";
import type { Limit, Q } from "$lib/api/types";
import { MOST_CUSTOMERS, MOST_WINDOWS, usageOf, type Asked, type Call } from "./usage";

const NOW = Date.parse("2026-03-05T10:00:00Z");
const asked: Asked = { meterId: "mtr_1", period: "month", dimensions: { model: "gpt-4" }, customerId: "", limitId: null, apart: [] };

interface Person {
  externalId: string;
  timezone: string | null;
  billingCycleStart: string;
  /** When it used one, each. */
  events: string[];
}

const person = (externalId: string, billingCycleStart: string, events: string[], timezone: string | null = null): Person => ({
  externalId,
  timezone,
  billingCycleStart,
  events,
});

/** Answers as the engine does, and notes what was asked. */
function engine(people: Person[], limits: Partial<Limit>[] = []) {
  const queries: { from?: string; to?: string; customerId?: string }[] = [];
  const call = (async (op: string, request: Record<string, string | undefined>) => {
    if (op === "limits.list") return { data: limits, hasMore: false, nextCursor: null };
    if (op === "customers.list") return { data: people, hasMore: false, nextCursor: null };
    if (op === "customers.get") {
      const found = people.find((each) => each.externalId === request.id);
      if (!found) throw new ApiFailure({ code: "not_found", message: "no such customer", status: 404 });
      return found;
    }
    queries.push(request);
    const inside = (event: string) => (!request.from || event >= request.from) && (!request.to || event < request.to);
    const groups = people
      .filter((each) => !request.customerId || each.externalId === request.customerId)
      .map((each) => ({ key: { customer_id: each.externalId }, value: String(each.events.filter(inside).length) as Q, points: [] }))
      .filter((each) => each.value !== "0");
    return { groups, moreGroups: false };
  }) as unknown as Call;
  return { call, queries };
}

const usedBy = async (call: Call, what: Partial<Asked> = {}) => {
  const counted = await usageOf(call, { ...asked, ...what }, "UTC", NOW);
  return counted && Object.fromEntries(counted.customers.map((each) => [each.customerId, each.used]));
};

describe("what customers have used of a limit that is not in force", () => {
  it("is counted for each in its own window, by its zone and billing day", async () => {
    const { call, queries } = engine([
      person("first", "2024-01-01", ["2026-03-04T12:00:00Z", "2026-02-20T12:00:00Z"]),
      person("mid", "2024-01-15", ["2026-03-04T12:00:00Z", "2026-02-20T12:00:00Z", "2026-02-14T12:00:00Z"]),
      person("today", "2024-01-05", ["2026-03-04T12:00:00Z"]),
      person("west", "2024-01-05", ["2026-03-05T05:00:00Z", "2026-03-05T04:00:00Z"], "America/New_York"),
    ]);
    expect(await usedBy(call)).toEqual({ first: "1", mid: "2", west: "1" });
    expect(queries).toHaveLength(4);
    expect((await usageOf(call, asked, "UTC", NOW))!.insteadOfOwn).toBeNull();
  });

  it("is one question for a period that is the same for all", async () => {
    const { call, queries } = engine([person("a", "2024-01-01", ["2026-03-05T10:10:00Z", "2026-03-05T09:10:00Z"])]);
    expect(await usedBy(call, { period: "hour" })).toEqual({ a: "1" });
    expect(await usedBy(call, { period: "all_time" })).toEqual({ a: "2" });
    expect(queries.map((each) => each.from)).toEqual(["2026-03-05T10:00:00.000Z", undefined].map((time) => time && expect.stringContaining("2026-03-05T10:00:00")));
  });

  it("is one customer's alone for a limit of its own, and nothing for one that is not known", async () => {
    const { call } = engine([person("a", "2024-01-15", ["2026-02-20T12:00:00Z"]), person("b", "2024-01-15", ["2026-02-20T12:00:00Z"])]);
    expect(await usedBy(call, { customerId: "a" })).toEqual({ a: "1" });
    expect(await usedBy(call, { customerId: "nobody" })).toEqual({});
  });

  it("leaves out those whose own limit takes its place, now or at the same time", async () => {
    const events = ["2026-03-05T09:00:00Z"];
    const own = { id: "lmt_2", customerId: "own", meterId: "mtr_1", period: "month", dimensionFilters: { model: "gpt-4" }, enabled: true, archivedAt: null } as const;
    const { call } = engine(
      ["own", "soon", "rest"].map((name) => person(name, "2024-01-01", events)),
      [own],
    );
    expect(await usedBy(call, { apart: ["soon"] })).toEqual({ rest: "1" });
    expect(await usedBy(call, { limitId: "lmt_2" })).toEqual({ own: "1", soon: "1", rest: "1" });
  });

  it("is counted for the project's window, and says so, where there are too many customers or windows", async () => {
    const many = engine(Array.from({ length: MOST_CUSTOMERS + 1 }, (_unused, i) => person(`c${i}`, "2024-01-15", i === 0 ? ["2026-03-02T00:00:00Z"] : [])));
    const counted = await usageOf(many.call, asked, "UTC", NOW);
    expect(counted).toMatchObject({ customers: [{ customerId: "c0", used: "1" }], insteadOfOwn: { from: Date.parse("2026-03-01T00:00:00Z"), to: Date.parse("2026-04-01T00:00:00Z") } });
    expect(many.queries).toHaveLength(1);

    const day = (i: number) => new Date(Date.UTC(2024, 0, 1) + i * 86_400_000).toISOString().slice(0, 10);
    const varied = engine(Array.from({ length: MOST_WINDOWS + 1 }, (_unused, i) => person(`c${i}`, day(i), [])));
    expect((await usageOf(varied.call, { ...asked, period: "annual" }, "UTC", NOW))!.insteadOfOwn).not.toBeNull();
  });
});
