import { beforeEach, describe, expect, it } from "vitest";
import { href, match, parseHash, router } from "./router.svelte";

describe("addresses", () => {
  it("carry any id there and back", () => {
    for (const id of ["azure-code", "a/b", "ü ?#%&=", "..", "%2F", "客户"]) {
      expect(parseHash(href("customers", id, "usage")).segments).toEqual(["customers", id, "usage"]);
    }
    expect(parseHash(href("customers", { query: "a b&c=d", none: "", gone: null }))).toEqual({
      segments: ["customers"],
      query: { query: "a b&c=d" },
    });
    expect(parseHash("")).toEqual({ segments: [], query: {} });
    expect(parseHash("#/customers/%zz").segments).toEqual(["customers", "%zz"]);
  });

  it("fit patterns, with and without their optional part", () => {
    expect(match("customers/:id/:tab?", ["customers", "x"])).toEqual({ id: "x" });
    expect(match("customers/:id/:tab?", ["customers", "x", "usage"])).toEqual({ id: "x", tab: "usage" });
    expect(match("customers/:id/:tab?", ["customers"])).toBeNull();
    expect(match("customers/:id/:tab?", ["customers", "x", "usage", "more"])).toBeNull();
    expect(match("", [])).toEqual({});
    expect(match("meters", ["limits"])).toBeNull();
  });
});

describe("the router", () => {
  beforeEach(() => router.go("#/overview"));

  it("counts visits to screens, not changes of what a screen shows", () => {
    const before = router.visits;
    router.setQuery({ range: "24h", by: "model" });
    expect(router.query).toEqual({ range: "24h", by: "model" });
    router.setQuery({ by: null });
    expect(location.hash).toBe("#/overview?range=24h");
    expect(router.visits).toBe(before);
    router.go(href("customers"));
    expect(router.segments).toEqual(["customers"]);
    expect(router.visits).toBe(before + 1);
  });

  it("goes back to where it was, and remembers how far a list was scrolled", async () => {
    router.go(href("customers"));
    router.saveScroll("customers", 4200);
    router.go(href("customers", "acme"));
    expect(router.savedScroll("customers")).toBe(0);
    const moved = new Promise((done) => addEventListener("popstate", done, { once: true }));
    history.back();
    await moved;
    expect(router.segments).toEqual(["customers"]);
    expect(router.savedScroll("customers")).toBe(4200);
  });
});
