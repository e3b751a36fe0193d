import { describe, expect, it } from "vitest";
import { rank } from "./rank";

describe("finding by words", () => {
  const items = ["Theme: Dark", "Go to Customers", "New customer", "Overview"];
  const find = (typed: string) => rank(typed, items, (item) => item);

  it("wants every word, anywhere", () => {
    expect(find("cust new")).toEqual(["New customer"]);
    expect(find("dark theme")).toEqual(["Theme: Dark"]);
    expect(find("zebra")).toEqual([]);
    expect(find("  ")).toEqual(items);
  });

  it("puts starts of words first", () => {
    expect(find("o")[0]).toBe("Overview");
    expect(find("cust")).toEqual(["Go to Customers", "New customer"]);
  });
});
