import { describe, expect, it } from "vitest";
import type { Meter } from "$lib/api/types";
import { changes, changesNumbers, creation, draftOf, emptyDraft, recounts, wireField } from "./definition";

const meter: Meter = {
  id: "mtr_1",
  projectId: "prj_1",
  name: "tokens",
  description: null,
  aggregation: "sum",
  field: "values.tokens",
  eventFilter: { eventType: "call", dimensions: { a: "1", b: "2" } },
  groupBy: ["model"],
  unit: "tokens",
  builtIn: false,
  state: "ready",
  progress: { done: 0, total: 0 },
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
  archivedAt: null,
};

describe("a meter being written", () => {
  it("writes the field by its aggregation", () => {
    expect(wireField({ aggregation: "count", field: "left over" })).toBe("*");
    expect(wireField({ aggregation: "unique", field: " user " })).toBe("dimensions.user");
    expect(wireField({ aggregation: "max", field: "tokens" })).toBe("values.tokens");
    expect(wireField({ aggregation: "max", field: " " })).toBeNull();
  });

  it("survives there and back", () => {
    expect(creation(draftOf(meter))).toEqual({
      name: "tokens",
      description: null,
      aggregation: "sum",
      field: "values.tokens",
      eventFilter: { eventType: "call", dimensions: { a: "1", b: "2" } },
      groupBy: ["model"],
      unit: "tokens",
    });
  });

  it("leaves to the engine what is missing", () => {
    expect(creation(emptyDraft)).toMatchObject({ name: "", field: "", unit: null });
  });
});

describe("a change", () => {
  it("sends nothing of what stayed, in whatever order it is written", () => {
    expect(changes({ ...draftOf(meter), dimensions: { b: "2", a: "1" } }, meter)).toEqual({});
  });

  it("sends what differs, and clears with null", () => {
    const change = changes({ ...draftOf(meter), unit: "", eventType: "" }, meter);
    expect(change).toEqual({ unit: null, eventFilter: { eventType: null, dimensions: { a: "1", b: "2" } } });
    expect(recounts(change)).toBe(true);
    expect(changesNumbers(change)).toBe(true);
  });

  it("knows that a name does not count anew, and that a breakdown changes no number", () => {
    expect(recounts(changes({ ...draftOf(meter), name: "t" }, meter))).toBe(false);
    const change = changes({ ...draftOf(meter), groupBy: [] }, meter);
    expect([recounts(change), changesNumbers(change)]).toEqual([true, false]);
  });
});
