import { describe, expect, it } from "vitest";
import type { AuditFact } from "$lib/api/types";
import { differences, fieldsOf, ownerOf, requestOf, subject } from "./facts";

const fact = (change: Partial<AuditFact>): AuditFact => ({
  id: "aud_1",
  projectId: "prj_1",
  at: "2026-01-01T00:00:00Z",
  actor: { kind: "operator", name: "" },
  operation: "limits.update",
  target: "lmt_1",
  targetName: null,
  customerId: null,
  before: null,
  after: null,
  ...change,
});

describe("what differs", () => {
  it("is listed field by field, with every digit, without what Weir keeps itself", () => {
    const before = { id: "lmt_1", limitValue: "123456789012345678.123456789", version: "1", updatedAt: "a", enabled: true, dimensionFilters: {} };
    const after = { ...before, limitValue: "123456789012345678.123456788", version: "2", updatedAt: "b", enabled: false, dimensionFilters: { model: "gpt-4" } };
    expect(differences(fact({ before, after }))).toEqual([
      { field: "limitValue", before: "123456789012345678.123456789", after: "123456789012345678.123456788" },
      { field: "enabled", before: "true", after: "false" },
      { field: "dimensionFilters.model", before: null, after: "gpt-4" },
    ]);
  });

  it("takes a list as one field, and nothing for nothing", () => {
    const found = differences(fact({ before: { alertThresholds: ["80"], email: null }, after: { alertThresholds: ["80", "100"], email: null } }));
    expect(found).toEqual([{ field: "alertThresholds", before: "80", after: "80, 100" }]);
    expect(differences(fact({ before: { groupBy: ["a"] }, after: { groupBy: [] } }))).toEqual([{ field: "groupBy", before: "a", after: null }]);
  });

  it("shows what is new and what is gone as a whole", () => {
    expect(differences(fact({ after: { name: "x" } }))).toEqual([{ field: "name", before: null, after: "x" }]);
    expect(fieldsOf(fact({ before: { name: "x" }, after: { name: "x" } }))).toEqual([{ field: "name", before: "x", after: "x" }]);
  });
});

describe("what a change is about", () => {
  it("leads to the screen of it", () => {
    const customer = fact({ operation: "customers.update", target: "cus_1", after: { externalId: "a/b", name: "A" } });
    expect(subject(customer)).toEqual({ name: "a/b", link: "#/customers/a%2Fb" });
    expect(subject(fact({ after: { name: "Daily" } }))).toEqual({ name: "Daily", link: "#/limits/lmt_1" });
    const raised = fact({ operation: "limits.raise", targetName: "Daily", after: { limitValue: "5" } });
    expect(subject(raised)).toEqual({ name: "Daily", link: "#/limits/lmt_1" });
    expect(subject(fact({ operation: "events.void", target: "evt_1", after: { eventType: "call" } }))).toEqual({ name: "call", link: "#/events?event=evt_1" });
    expect(subject(fact({ operation: "backup.create", target: "/data/copy.db", after: { path: "/data/copy.db" } }))).toEqual({
      name: "/data/copy.db",
      link: null,
    });
  });

  it("knows whose limit it is", () => {
    expect(ownerOf(fact({ customerId: "acme" }))).toBe("acme");
    expect(ownerOf(fact({}))).toBe(null);
    expect(ownerOf(fact({ operation: "customers.update", customerId: "acme" }))).toBe(null);
  });
});

describe("the filters of the address", () => {
  it("are asked for as they stand", () => {
    expect(requestOf({ query: "x", what: "limits", who: "cli", customer: "acme" }, null)).toEqual({
      query: "x",
      operation: "limits",
      actor: "cli",
      customerId: "acme",
    });
    expect(requestOf({}, { id: "custom", from: 0, to: 1000, interval: "1m" })).toEqual({
      from: "1970-01-01T00:00:00.000Z",
      to: "1970-01-01T00:00:01.000Z",
    });
  });
});
