import { describe, expect, it } from "vitest";
import type { RateLimit } from "$lib/api/types";
import { callsOf, changes, creation, draftOf, emptyDraft, reverse, sentenceOf, suggestName } from "./draft";

const rate: RateLimit = {
  id: "rtl_1",
  projectId: "prj_1",
  name: "Burst",
  window: "minute",
  limitValue: 1500,
  dimensionFilters: { model: "gpt-4" },
  customerId: null,
  enabled: true,
  version: 1,
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
  archivedAt: null,
};

describe("a rate limit", () => {
  it("is read aloud", () => {
    expect(sentenceOf(rate)).toBe("At most 1,500 calls per minute for every customer where model = gpt-4");
    expect(sentenceOf({ ...rate, limitValue: 1, window: "second", customerId: "acme", dimensionFilters: {} })).toBe(
      "At most 1 call per second for acme",
    );
  });

  it("takes whole numbers above zero, however they are grouped", () => {
    expect(callsOf({ calls: " 1,500 " })).toBe(1500);
    for (const calls of ["", "0", "-3", "1.5", "many", "1234567890123456"]) expect(callsOf({ calls }), calls).toBeNull();
  });

  it("has a name nobody has to think of", () => {
    expect(suggestName({ ...emptyDraft, dimensions: { model: "gpt-4" } })).toBe("Calls per minute, gpt-4");
  });

  it("sends only what differs, and takes it back", () => {
    const draft = draftOf(rate);
    expect(changes(draft, 1500, rate)).toEqual({});
    const change = changes({ ...draft, name: " Slow ", dimensions: {} }, 10, rate);
    expect(change).toEqual({ name: "Slow", limitValue: 10, dimensionFilters: {} });
    expect(reverse(change, rate)).toEqual({ name: "Burst", limitValue: 1500, dimensionFilters: { model: "gpt-4" } });
    expect(creation({ ...draft, customerId: "acme" }, 5)).toEqual({
      name: "Burst",
      limitValue: 5,
      window: "minute",
      customerId: "acme",
      dimensionFilters: { model: "gpt-4" },
      enabled: true,
    });
  });
});
