import type { Flow, Language } from "$lib/snippets";

export const snippets = {
  language: "Language",
  languages: { curl: "curl", python: "Python", typescript: "TypeScript" } satisfies Record<Language, string>,
  flow: "What it does",
  flows: { check: "Check, work, record", track: "Track" } satisfies Record<Flow, string>,
  flowHints: {
    check: "Asks before the work whether the customer may, and records after it what it really took. For work whose cost is known only at its end, such as an LLM call.",
    track: "Decides and records in one step: recorded, or refused with 429. For calls whose cost is known at their start.",
  } satisfies Record<Flow, string>,
  codeOf: (flow: string, language: string) => `${flow} in ${language}`,
  makeKey: "Make a key and put it in",
  keyName: "My app",
  keyMade: (name: string) => `Key “${name}” is in the code: shown in part, copied whole. It is not shown again.`,
  keyMissing: "The code runs once a key stands in it.",
  needs: {
    curl: "Paste it into a shell.",
    python: "Python 3, nothing to install.",
    typescript: "Node, Deno or Bun, nothing to install.",
  } satisfies Record<Language, string>,
};
