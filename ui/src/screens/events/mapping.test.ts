import { describe, expect, it } from "vitest";
import type { Mapping } from "$lib/api/types";
import { choiceOf, dimensionOf, FIXED, freeName, keyOf, rolesOf, sourceOf } from "./mapping";

const mapping: Mapping = {
  customer: { value: "acme" },
  eventType: { column: "kind" },
  timestamp: { column: "TIMESTAMP" },
  values: [{ name: "tokens", columns: ["in", "out"] }],
  dimensions: [
    { name: "model", column: "Model" },
    { name: "source", value: "file" },
  ],
  idColumn: "id",
};

describe("where something comes from", () => {
  it("is a column or the same text for all", () => {
    expect(choiceOf({ column: "a" })).toBe("a");
    expect(choiceOf({ value: "x" })).toBe(FIXED);
    expect(sourceOf("a", { value: "x" })).toEqual({ column: "a" });
    expect(sourceOf(FIXED, { column: "a" })).toEqual({ value: "" });
    expect(sourceOf(FIXED, { value: "x" })).toEqual({ value: "x" });
    expect(dimensionOf(FIXED, { name: "model", column: "Model" })).toEqual({ name: "model", value: "" });
    expect(dimensionOf("M", { name: "model", value: "x" })).toEqual({ name: "model", column: "M" });
  });
});

describe("names", () => {
  it("are made from columns as the engine makes them", () => {
    expect(keyOf("ContextTokens")).toBe("context_tokens");
    expect(keyOf("context tokens")).toBe("context_tokens");
    expect(keyOf(" HTTPStatus ")).toBe("http_status");
    expect(keyOf("usage.total")).toBe("usage.total");
    expect(keyOf("größe")).toBe("gr_e");
  });

  it("do not repeat", () => {
    expect(freeName("tokens", ["tokens", "tokens_2"])).toBe("tokens_3");
    expect(freeName("tokens", [])).toBe("tokens");
  });
});

it("says what each column is used for", () => {
  const words = { customer: "Customer", eventType: "Type", timestamp: "Time", identity: "Id" };
  expect(rolesOf("in", mapping, words)).toEqual(["tokens"]);
  expect(rolesOf("kind", mapping, words)).toEqual(["Type"]);
  expect(rolesOf("TIMESTAMP", mapping, words)).toEqual(["Time"]);
  expect(rolesOf("Model", mapping, words)).toEqual(["model"]);
  expect(rolesOf("id", mapping, words)).toEqual(["Id"]);
  expect(rolesOf("other", mapping, words)).toEqual([]);
});
