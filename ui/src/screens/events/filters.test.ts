import { describe, expect, it } from "vitest";
import type { Range } from "$lib/range";
import { dimensionsOf, newerThan, requestOf, withDimensions, withoutFilters } from "./filters";

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

describe("counting what is newer", () => {
  const rows = [{ id: "c" }, { id: "b" }, { id: "a" }];

  it("counts up to the newest known", () => {
    expect(newerThan(rows, "a")).toBe(2);
    expect(newerThan(rows, "c")).toBe(0);
  });

  it("knows that it does not know", () => {
    expect(newerThan(rows, "z")).toBeNull();
    expect(newerThan(rows, undefined)).toBeNull();
  });
});
