import { describe, expect, it } from "vitest";
import { canBeLimited, definitionOf, filterOf, isAdditive } from "./meter-words";

describe("a meter in words", () => {
  it("names what it counts without the wire's prefixes", () => {
    expect(definitionOf({ aggregation: "sum", field: "values.tokens" })).toBe("Sum of tokens");
    expect(definitionOf({ aggregation: "count", field: "*" })).toBe("Number of events");
    expect(definitionOf({ aggregation: "unique", field: "dimensions.user" })).toBe("Distinct values of user");
  });

  it("says which events", () => {
    expect(filterOf({ eventType: null, dimensions: {} })).toBe("");
    expect(filterOf({ eventType: "call", dimensions: { model: "gpt-4", region: "eu" } })).toBe(
      "of type call where model = gpt-4 and region = eu",
    );
  });

  it("knows what can be limited and what adds up", () => {
    expect(["sum", "count", "max", "latest", "unique", "min", "avg"].filter((a) => canBeLimited({ aggregation: a as never }))).toHaveLength(5);
    expect(isAdditive({ aggregation: "max" })).toBe(false);
  });
});
