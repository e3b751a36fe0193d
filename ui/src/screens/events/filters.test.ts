import { describe, expect, it } from "vitest";
import type { Range } from "$lib/range";
import { dimensionsOf, isFiltered, newerThan, requestOf, showsVoided, withDimensions, withoutFilters, withVoided } from "./filters";

const query = { customer: "acme", type: "call", "d.model": "gpt-4", "d.region": "eu", range: "24h", event: "evt_1" };
const range = (id: Range["id"]): Range => ({ id, from: 0, to: 60_000, interval: "1m" });

describe("filters in the address", () => {
  it("read dimensions by their prefix", () => {
    expect(dimensionsOf(query)).toEqual({ model: "gpt-4", region: "eu" });
  });

  it("replace all dimensions at once", () => {
    expect(withDimensions(query, { model: "o1" })).toEqual({ "d.model": "o1", "d.region": null });
  });

  it("are all taken away without touching what is open", () => {
    const change = withoutFilters(query);
    expect(Object.keys(change).sort()).toEqual(["customer", "d.model", "d.region", "from", "range", "to", "type"]);
    expect(change).not.toHaveProperty("event");
  });

  it("keep whether voided events are shown, which is no filter to take away", () => {
    expect(showsVoided(withVoided(true) as Record<string, string>)).toBe(true);
    expect(withVoided(false)).toEqual({ voided: null });
    expect(showsVoided({})).toBe(false);
    expect(withoutFilters({ ...query, voided: "1" })).not.toHaveProperty("voided");
  });
});

describe("what the list asks", () => {
  it("is everything without filters", () => {
    expect(requestOf({}, range("data"))).toEqual({});
  });

  it("has no end unless one was chosen by hand, so that new events come in", () => {
    expect(requestOf(query, range("24h"))).toEqual({
      customerId: "acme",
      eventType: "call",
      dimensions: { model: "gpt-4", region: "eu" },
      from: "1970-01-01T00:00:00.000Z",
    });
    expect(requestOf({}, range("custom"))).toEqual({ from: "1970-01-01T00:00:00.000Z", to: "1970-01-01T00:01:00.000Z" });
  });
});

describe("voided events", () => {
  it("are asked for only where they are to be shown", () => {
    expect(requestOf({ voided: "1", customer: "acme" }, range("data"))).toEqual({ customerId: "acme", includeVoided: true });
    expect(requestOf({ voided: "yes" }, range("data"))).toEqual({});
  });

  it("leave nothing out by being shown", () => {
    expect(isFiltered(requestOf({ voided: "1" }, range("data")))).toBe(false);
    expect(isFiltered(requestOf({ voided: "1", type: "call" }, range("data")))).toBe(true);
  });
});

describe("counting what is newer", () => {
  const rows = [{ id: "c" }, { id: "b" }, { id: "a" }];
  const known = (...ids: string[]) => ids.map((id) => ({ id }));

  it("counts up to the newest known", () => {
    expect(newerThan(rows, known("a"))).toBe(2);
    expect(newerThan(rows, known("c", "b", "a"))).toBe(0);
  });

  it("goes by the next one where the newest was voided", () => {
    expect(newerThan(rows, known("voided", "b", "a"))).toBe(1);
    expect(newerThan(rows, known("voided", "c", "b"))).toBe(0);
    expect(newerThan(known("a"), known("voided", "voided too", "a"))).toBe(0);
  });

  it("knows that it does not know", () => {
    expect(newerThan(rows, known("z"))).toBeNull();
    expect(newerThan(rows, [])).toBeNull();
  });
});
