/** Every block of the guide does, as it stands, what the page says. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocks } from "./pages";
import { CLIENTS, complaints, run } from "./programs";
import { Weir } from "./weir";

const PAGE = "docs/guide.md";
const found = blocks(PAGE);

interface Case {
  /** When it is not what the page has just set up. */
  when?: string;
  before?: (weir: Weir) => Promise<void>;
  /** What the programs of the section end with, one each; 0 when not given. */
  codes?: number[];
  /** What the server holds afterwards, and what the programs said. */
  then: (weir: Weir, said: string) => Promise<void>;
}

/** Of a section with Python and TypeScript, each language is run on a server of its own, and has to come to the same. */
const CASES: Record<string, Case[]> = {
  "A key, and a first event": [
    {
      then: async (weir) => {
        // One by curl, one by the program.
        expect(await weir.happened()).toEqual(Array(2).fill("acme llm.completion tokens=1250"));
        for (const event of await weir.events()) expect(event.dimensions.model).toBe("gpt-4");
      },
    },
  ],
  "Check, do the work, record": [
    {
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual(["acme llm.completion tokens=1200"]);
        expect(said).toContain("Hello to you");
        expect(said).toContain("Tokens a month has 98800 left: too much");
      },
    },
    {
      when: "the limit is reached",
      before: (weir) => weir.use(100_000),
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual(["acme before tokens=100000"]);
        expect(said).toContain("not now\n");
        expect(said).toContain("Tokens a month has 0 left: too much");
      },
    },
  ],
  "Track: the check and the record in one step": [
    {
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual(Array(3).fill("acme image images=1"));
        expect(said.trim().split("\n")).toEqual([
          "job-1 goes ahead",
          "job-2 goes ahead",
          "job-3 goes ahead",
          expect.stringMatching(/^job-4 waits: limit_exceeded for \[ ?'Images a day' ?\]$/),
          "job-3 goes ahead",
        ]);
      },
    },
  ],
  "Reserve: when the cost is known only afterwards": [
    {
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual(["acme llm.completion tokens=1200"]);
        expect(await weir.reservations()).toEqual(["committed"]);
        expect(said).toBe("Hello to you\n");
      },
    },
    {
      when: "less than the most is left",
      before: (weir) => weir.use(6_001),
      codes: [1],
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual(["acme before tokens=6001"]);
        expect(await weir.reservations()).toEqual([]);
        expect(said).toContain("not now: limit_exceeded");
      },
    },
  ],
  "Balances: check, do the work, debit": [
    {
      then: async (weir, said) => {
        expect(await weir.balance()).toEqual({ current: "7.5", held: "0", entries: ["credit 10", "debit 2.5"] });
        expect(said).toBe("the work of job-1\nleft: 7.5\n");
      },
    },
    {
      when: "the money is spent",
      before: async (weir) => {
        await weir.ask("POST", "/balances/debit", { customerId: "acme", name: "credits", amount: "7.6" });
      },
      codes: [1],
      then: async (weir, said) => {
        expect(await weir.balance()).toEqual({ current: "2.4", held: "0", entries: ["credit 10", "debit 7.6"] });
        expect(said).toContain("not enough credits");
      },
    },
  ],
  "Balances: hold and capture": [
    {
      then: async (weir, said) => {
        expect(await weir.balance()).toEqual({ current: "7.25", held: "0", entries: ["credit 10", "debit 2.75"] });
        expect(said).toBe("left: 7.25\n");
      },
    },
    {
      when: "the money is held already",
      before: async (weir) => {
        await weir.ask("POST", "/balances/hold", { customerId: "acme", name: "credits", amount: 7 });
      },
      codes: [1],
      then: async (weir, said) => {
        expect(await weir.balance()).toEqual({ current: "10", held: "7", entries: ["credit 10"] });
        expect(said).toContain("the balance `credits` has 3 available");
      },
    },
  ],
  "Balances that pay by themselves": [
    {
      then: async (weir, said) => {
        // 3.6 of 10, then 12 of 6.4, which is too much, then 6.
        expect(said.trim().split("\n")).toEqual([
          "job-1 goes ahead",
          "job-2 is refused: limit_exceeded",
          "job-3 goes ahead",
          "left: 0.4",
        ]);
        expect(await weir.happened()).toEqual(["acme llm.completion tokens=1200", "acme llm.completion tokens=2000"]);
        expect(await weir.balance()).toEqual({ current: "0.4", held: "0", entries: ["credit 10", "debit 3.6", "debit 6"] });
      },
    },
  ],
  "Limits and a balance, step by step": [
    {
      then: async (weir) => {
        expect(await weir.happened()).toEqual(["acme llm.completion tokens=1200"]);
        expect(await weir.reservations()).toEqual(["committed"]);
        expect(await weir.balance()).toEqual({ current: "8.2", held: "0", entries: ["credit 10", "debit 1.8"] });
      },
    },
    {
      when: "there is too little money",
      before: async (weir) => {
        await weir.ask("POST", "/balances/debit", { customerId: "acme", name: "credits", amount: 5 });
      },
      codes: [1],
      then: async (weir) => {
        expect(await weir.happened()).toEqual([]);
        expect(await weir.reservations()).toEqual(["released"]);
        expect(await weir.balance()).toEqual({ current: "5", held: "0", entries: ["credit 10", "debit 5"] });
      },
    },
  ],
  "When Weir does not answer": [
    {
      before: (weir) => weir.giveCredits("10"),
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual(["acme llm.completion tokens=1200"]);
        expect(await weir.balance()).toEqual({ current: "7.5", held: "0", entries: ["credit 10", "debit 2.5"] });
        expect(said).toBe("working as allowed\nstill to be sent: 0\npaid\n");
      },
    },
  ],
  "Refusals and errors": [
    {
      then: async (weir, said) => {
        expect(await weir.happened()).toEqual([]);
        expect(said).toBe("400 invalid_field_value values.tokens\n");
      },
    },
  ],
  "Exact decimals": [
    {
      then: async (weir) => {
        expect(await weir.happened()).toEqual([
          ...Array<string>(10).fill("acme transfer gb=0.1"),
          "acme transfer gb=123456789012345678.123456789",
        ]);
      },
    },
  ],
};

it("knows of every section with code, and of no other", () => {
  expect([...new Set(found.map((block) => block.section))]).toEqual(Object.keys(CASES));
  for (const section of Object.keys(CASES)) {
    const count = (language: string) => found.filter((block) => block.section === section && block.language === language).length;
    expect(count("python"), section).toBeGreaterThan(0);
    expect(count("ts"), section).toBe(count("python"));
  }
});

it("has types that pass the strict compiler", { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-guide-"));
  try {
    const files: Record<string, string> = { "weir.ts": await readFile(join(CLIENTS, "weir.ts"), "utf8") };
    for (const page of [PAGE, "docs/receiving-webhooks.md"]) {
      const programs = blocks(page).filter((block) => block.language === "ts");
      expect(programs.length, page).toBeGreaterThan(0);
      for (const { line, code } of programs) files[`${basename(page, ".md")}-${line}.ts`] = code;
    }
    // So that it is seen that the compiler looks.
    files["wrong.ts"] = `import { Weir } from "./weir.ts";\nnew Weir({ whenDown: "perhaps" });\n`;
    expect(await complaints(folder, files)).toMatch(/^wrong\.ts\(2,12\): error TS2322: .*perhaps.*\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("begins with what the front page shows", async () => {
  const weir = await Weir.start();
  try {
    const [block, ...more] = blocks("README.md").filter((each) => each.section === "From a program");
    expect(more).toEqual([]);
    const { code, stdout, stderr } = await run(weir, "sh", block!.code, { WEIR_KEY: weir.operator });
    expect(code, stdout + stderr).toBe(0);
    expect(await weir.happened()).toEqual(Array(3).fill("acme llm.completion tokens=1200"));
    expect(await weir.reservations()).toEqual(["committed"]);
    expect(await weir.balance()).toEqual({ current: "97.5", held: "0", entries: ["credit 100", "debit 2.5"] });
  } finally {
    await weir.stop();
  }
});

describe.each(Object.entries(CASES))("%s", (section, cases) => {
  for (const language of ["python", "ts"] as const) {
    for (const { when, before, codes, then } of cases) {
      it(`works in ${language}${when ? ` when ${when}` : ""}`, async () => {
        const weir = await Weir.start();
        try {
          const of = (wanted: string) => found.filter((block) => block.section === section && block.language === wanted);
          for (const block of of("sh")) {
            const { code, stderr } = await run(weir, "sh", block.code);
            expect(code, `${PAGE}:${block.line}: ${stderr}`).toBe(0);
          }
          await before?.(weir);
          let said = "";
          for (const [index, block] of of(language).entries()) {
            const { code, stdout, stderr } = await run(weir, language, block.code);
            said += codes?.[index] ? stdout + stderr : stdout;
            expect(code, `${PAGE}:${block.line}: ${stdout}${stderr}`).toBe(codes?.[index] ?? 0);
          }
          await then(weir, said);
        } finally {
          await weir.stop();
        }
      });
    }
  }
});
