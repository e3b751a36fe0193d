import { describe, expect, it } from "vitest";
import type { Q } from "$lib/api/types";
import { href, parseHash } from "$lib/state/router.svelte";
import { askedOf, ofCall, queryOf, requestOf, sameAsked, type Asked } from "./asked";

const call: Asked = {
  mode: "call",
  type: "llm.call",
  values: { tokens: "20.25" as Q, "v.odd": "-1" as Q },
  dimensions: { model: "gpt 4&more=1", user: "", "d.x": "é" },
};

describe("what is asked", () => {
  it("comes back from an address as it was put there", () => {
    for (const mode of ["customer", "request", "call"] as const) {
      const asked: Asked = mode === "call" ? call : { ...call, mode };
      const back = askedOf(parseHash(href("customers", "a/b", "simulator", queryOf(asked))).query);
      const expected = { customer: { mode, type: "", values: {}, dimensions: {} }, request: { ...asked, values: {} }, call: asked }[mode];
      expect(back).toEqual(expected);
    }
  });

  it("asks of the customer as such with nothing else, of a kind of request without values, of a call with all it has", () => {
    expect(requestOf("acme", { ...call, mode: "customer" })).toEqual({ customerId: "acme" });
    expect(requestOf("acme", { ...call, mode: "request", type: "" })).toEqual({ customerId: "acme", dimensions: call.dimensions });
    // No values are something else than values that are not known.
    expect(requestOf("acme", { ...call, values: {} })).toEqual({ customerId: "acme", eventType: "llm.call", dimensions: call.dimensions, values: {} });
  });

  it("repeats a refused call", () => {
    expect(requestOf("acme", ofCall({ ...call, eventType: call.type }))).toEqual({ customerId: "acme", eventType: "llm.call", values: call.values, dimensions: call.dimensions });
  });

  it("is the same in any order", () => {
    const turned = { ...call, dimensions: { "d.x": "é", user: "", model: "gpt 4&more=1" } };
    expect(sameAsked(call, turned)).toBe(true);
    expect(sameAsked(call, { ...turned, type: "other" })).toBe(false);
    expect(sameAsked({ ...call, mode: "customer" }, { mode: "customer", type: "", values: {}, dimensions: {} })).toBe(true);
  });
});
