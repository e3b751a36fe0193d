import ts from "typescript";
import { describe, expect, it } from "vitest";
import { FLOWS, freeName, KEY_PLACEHOLDER, LANGUAGES, masked, shownSnippet, snippet } from "./snippets";

const key = `weir_sk_${"0123456789abcdef".repeat(4)}`;
const place = { address: "http://127.0.0.1:8787", key };
const all = FLOWS.flatMap((flow) => LANGUAGES.map((language) => [flow, language] as const));

describe("snippets", () => {
  it.each(all)("of %s in %s hold the real address and key and nothing left to fill in", (flow, language) => {
    const code = snippet(flow, language, place);
    expect(code.split(key)).toHaveLength(2);
    expect(code).toContain("http://127.0.0.1:8787/v1");
    expect(code).not.toMatch(/…|•|<your|YOUR_|TODO|undefined|null/);
    expect(code).toContain(flow === "track" ? "/track" : "/limits/check");
    expect(code).toContain(flow === "track" ? "429" : "/events/record");
  });

  it.each(all)("of %s in %s show a key only in part, and say where one is missing", (flow, language) => {
    const shown = shownSnippet(flow, language, place);
    expect(shown).not.toContain(key);
    expect(shown.replace(masked(key), key)).toBe(snippet(flow, language, place));
    const without = snippet(flow, language, { ...place, key: null });
    expect(without.split(KEY_PLACEHOLDER)).toHaveLength(2);
    expect(shownSnippet(flow, language, { ...place, key: null })).toBe(without);
  });

  it("take an address however it ends", () => {
    expect(snippet("track", "curl", { ...place, address: "https://weir.example.com/" })).toContain("https://weir.example.com/v1\n");
  });

  it.each(FLOWS)("of %s are TypeScript without a fault", (flow) => {
    const read = ts.transpileModule(snippet(flow, "typescript", place), {
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    expect(read.diagnostics).toEqual([]);
  });

  it("hold no comment where a shell may not take one", () => {
    for (const flow of FLOWS) expect(snippet(flow, "curl", place)).not.toMatch(/^\s*#/m);
  });
});

describe("the key of a snippet", () => {
  it("has a name of its own", () => {
    expect(freeName("My app", [])).toBe("My app");
    expect(freeName("My app", ["My app", "My app 3"])).toBe("My app 2");
    expect(freeName("My app", ["My app", "My app 2"])).toBe("My app 3");
  });
});
