import { describe, expect, it } from "vitest";
import type { UsageEvent } from "./api/types";
import { seenIn, suggest } from "./seen";

const event = (part: Partial<UsageEvent>) => ({ eventType: "call", values: {}, dimensions: {}, ...part }) as UsageEvent;

describe("what events are made of", () => {
  it("names each type, value and dimension once, in the order of appearance", () => {
    const seen = seenIn([
      event({ values: { tokens: "1" as never }, dimensions: { model: "b" } }),
      event({ eventType: "chat", values: { tokens: "2" as never, cost: "1" as never }, dimensions: { model: "a", region: "eu" } }),
      event({ dimensions: { model: "b" } }),
    ]);
    expect(seen.types).toEqual(["call", "chat"]);
    expect(seen.values).toEqual(["tokens", "cost"]);
    expect([...seen.dimensions]).toEqual([
      ["model", ["b", "a"]],
      ["region", ["eu"]],
    ]);
  });

  it("stops gathering texts of a dimension that is an id", () => {
    const many = Array.from({ length: 500 }, (_, i) => event({ dimensions: { request: `r${i}` } }));
    expect(seenIn(many).dimensions.get("request")).toHaveLength(50);
  });
});

describe("suggestions", () => {
  it("put what begins with the typed text first", () => {
    expect(suggest(["my-model", "model", "region", "model"], "mod")).toEqual(["model", "my-model"]);
  });

  it("keep their order when nothing is typed", () => {
    expect(suggest(["b", "a"], " ")).toEqual(["b", "a"]);
  });
});
