/** The clients when Weir is down, busy, silent, or dies at the wrong moment: everything counts once. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Faults, nobody, type Fault } from "./faults";
import { blocks } from "./pages";
import { run, type Ended } from "./programs";
import { Weir } from "./weir";

const IMPORTS = {
  python: "import time\nfrom weir import NoAnswer, Refused, Weir\n",
  ts: `import { NoAnswer, Refused, Weir } from "./weir.ts";\n`,
};
const KEPT = "kept.jsonl";

let weir: Weir;
let faults: Faults | undefined;

beforeEach(async () => {
  weir = await Weir.start();
});
afterEach(async () => {
  await faults?.stop();
  faults = undefined;
  await weir.stop();
});

describe.each(["python", "ts"] as const)("the client in %s", (language) => {
  /** Runs a program with whatever is in the way: what it printed, line by line. */
  async function program(code: { python: string; ts: string }, plan: Fault[] = [], afterwards: Fault = "pass"): Promise<string[]> {
    await faults?.stop();
    faults = await Faults.before(weir.address, plan, afterwards);
    return said(await run(weir, language, IMPORTS[language] + code[language], { WEIR_URL: faults.address }));
  }

  function said({ code, stdout, stderr }: Ended): string[] {
    expect(code, stdout + stderr).toBe(0);
    return stdout.toLowerCase().split("\n").slice(0, -1);
  }

  /** Makes a client, with options as both languages write them. */
  function client(whenDown: "allow" | "refuse", options: Record<string, number | string> = {}) {
    const entries = Object.entries(options).map(([name, value]) => [name, JSON.stringify(value)] as const);
    const python = entries.map(([name, value]) => `, ${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}=${value}`);
    const ts = entries.map(([name, value]) => `, ${name}: ${value}`);
    return {
      python: `weir = Weir(when_down="${whenDown}"${python.join("")})\n`,
      ts: `const weir = new Weir({ whenDown: "${whenDown}"${ts.join("")} });\n`,
    };
  }

  const both = (one: { python: string; ts: string }, other: { python: string; ts: string }) => ({
    python: one.python + other.python,
    ts: one.ts + other.ts,
  });

  const CHECK = {
    python: `answer = weir.check("acme")\nprint(answer.allowed, answer.known)\n`,
    ts: `{\n  const { allowed, known } = await weir.check({ customerId: "acme" });\n  console.log(allowed, known);\n}\n`,
  };
  const RECORD = {
    python: `print(weir.record("acme", "call", {"n": 1}))\n`,
    ts: `console.log(await weir.record({ customerId: "acme", eventType: "call", values: { n: 1 } }));\n`,
  };
  const TRACK = {
    python: `answer = weir.track("acme", "call", {"n": 1})\nprint(answer.allowed, answer.known, answer.reason)\n`,
    ts: `{
  const { allowed, known, reason } = await weir.track({ customerId: "acme", eventType: "call", values: { n: 1 } });
  console.log(allowed, known, reason ?? "None");
}\n`,
  };
  const RESEND = { python: "print(weir.resend())\n", ts: "console.log(await weir.resend());\n" };

  it.each([
    ["allow", "true false"],
    ["refuse", "false false"],
  ] as const)("does as it was told, to %s, when nothing listens", async (whenDown, answer) => {
    const all = both(client(whenDown, { patience: 0.3 }), both(CHECK, TRACK));
    const lines = said(await run(weir, language, IMPORTS[language] + all[language], { WEIR_URL: await nobody() }));
    expect(lines).toEqual([answer, `${answer} none`]);
  });

  it.each([
    ["allow", "true false"],
    ["refuse", "false false"],
  ] as const)("does as it was told, to %s, when Weir hangs", async (whenDown, answer) => {
    const lines = await program(both(client(whenDown, { timeout: 0.2, patience: 0.3 }), CHECK), [], "hang");
    expect(lines).toEqual([answer]);
    expect(faults!.seen.length).toBeGreaterThan(0);
  });

  it("tries again after an attempt without an answer in time, and records once", async () => {
    expect(await program(both(client("refuse", { timeout: 0.5, patience: 30 }), RECORD), ["hang"])).toEqual(["true"]);
    expect(faults!.seen).toHaveLength(2);
    expect(await weir.happened()).toEqual(["acme call n=1"]);
  });

  it.each<[string, Fault]>([
    ["busy", { busy: 1 }],
    ["called too often", { tooOften: 1 }],
  ])("comes back when it was told to, and no sooner, where Weir is %s", async (_, fault) => {
    expect(await program(both(client("refuse", { patience: 30 }), RECORD), [fault])).toEqual(["true"]);
    const [first, second, ...more] = faults!.seen;
    expect(more).toEqual([]);
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(1000);
    expect(first!.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(second!.key).toBe(first!.key);
    expect(await weir.happened()).toEqual(["acme call n=1"]);
  });

  it("does not wait for what is longer than its patience, nor does the next call", async () => {
    const impatient = { patience: 2, rest: 600 };
    expect(await program(both(client("allow", impatient), both(CHECK, CHECK)), [], { busy: 60 })).toEqual(Array(2).fill("true false"));
    expect(faults!.seen).toHaveLength(1);
    const restless = { patience: 2, rest: 0 };
    expect(await program(both(client("allow", restless), both(CHECK, CHECK)), [], { busy: 60 })).toEqual(Array(2).fill("true false"));
    expect(faults!.seen).toHaveLength(2);
  });

  it("does everything once when Weir does it and dies before it answers", async () => {
    await weir.limitTokens(1000);
    await weir.giveCredits("10");
    const all = {
      python: `
weir.record("acme", "recorded", {"tokens": 1})
assert weir.track("acme", "tracked", {"tokens": 2}).known
kept = weir.reserve("acme", "reserved", {"tokens": 300})
weir.commit(kept, {"tokens": 3})
left = weir.reserve("acme", "left", {"tokens": 300})
weir.release(left)
credits = {"customerId": "acme", "name": "credits"}
assert weir.post("/balances/debit", {**credits, "amount": 1})["success"]
hold = weir.post("/balances/hold", {**credits, "amount": 4})["hold"]["id"]
assert weir.post(f"/balances/holds/{hold}/capture", {"amount": 2})["success"]
print(weir.resend())
`,
      ts: `
await weir.record({ customerId: "acme", eventType: "recorded", values: { tokens: 1 } });
if (!(await weir.track({ customerId: "acme", eventType: "tracked", values: { tokens: 2 } })).known) throw new Error();
const kept = await weir.reserve({ customerId: "acme", eventType: "reserved", values: { tokens: 300 } });
await weir.commit(kept, { tokens: 3 });
const left = await weir.reserve({ customerId: "acme", eventType: "left", values: { tokens: 300 } });
await weir.release(left);
const credits = { customerId: "acme", name: "credits" };
await weir.post("/balances/debit", { ...credits, amount: 1 });
const { hold } = await weir.post<{ hold: { id: string } }>("/balances/hold", { ...credits, amount: 4 });
await weir.post(\`/balances/holds/\${hold.id}/capture\`, { amount: 2 });
console.log(await weir.resend());
`,
    };
    const calls = 9;
    const plan = Array.from({ length: calls }, (): Fault[] => ["die", "pass"]).flat();
    expect(await program(both(client("refuse", { patience: 30 }), all), plan)).toEqual(["0"]);
    expect(faults!.seen).toHaveLength(2 * calls);
    expect(await weir.happened()).toEqual(["acme recorded tokens=1", "acme reserved tokens=3", "acme tracked tokens=2"]);
    expect((await weir.reservations()).sort()).toEqual(["committed", "released"]);
    expect(await weir.balance()).toEqual({ current: "7", held: "0", entries: ["credit 10", "debit 1", "debit 2"] });
  });

  it("keeps what happened in a file, which the next program sends, once, though Weir had it already", async () => {
    const options = { patience: 0.2, rest: 0, keepIn: KEPT };
    expect(await program(both(client("allow", options), both(RECORD, TRACK)), [], "die")).toEqual(["false", "true false none"]);
    // Whoever dies has heard what was asked.
    const before = await weir.events();
    expect(before).toHaveLength(2);
    expect(await program(both(client("allow", options), RESEND))).toEqual(["0"]);
    expect(faults!.seen.map((each) => each.path)).toEqual(["/v1/events/record", "/v1/events/record"]);
    expect(await weir.events()).toEqual(before);
    expect(await readFile(join(weir.folder, KEPT), "utf8")).toBe("");
  });

  it("keeps the time at which it happened", async () => {
    const options = { patience: 0.2, rest: 0, keepIn: KEPT };
    expect(await program(both(client("allow", options), RECORD), [], "reset")).toEqual(["false"]);
    expect(await weir.events()).toEqual([]);
    const between = (await weir.ask<{ createdAt: string }>("POST", "/customers", { externalId: "between" })).createdAt;
    expect(await program(both(client("allow", options), RESEND))).toEqual(["0"]);
    const [event] = await weir.events();
    expect(Date.parse(event!.timestamp)).toBeLessThan(Date.parse(between));
  });

  it("finishes a reservation that was made with Weir or without", async () => {
    await weir.limitTokens(1000);
    const options = { patience: 0.2, rest: 0, keepIn: KEPT };
    const work = {
      python: `
made = weir.reserve("acme", "reserved", {"tokens": 300})
print(made.allowed, made.known, weir.commit(made, {"tokens": 3}))
`,
      ts: `
const made = await weir.reserve({ customerId: "acme", eventType: "reserved", values: { tokens: 300 }, ttlSeconds: 60 });
console.log(made.allowed, made.known, await weir.commit(made, { tokens: 3 }));
`,
    };
    expect(await program(both(client("allow", options), work), [], "reset")).toEqual(["true false false"]);
    expect(await program(both(client("allow", options), work), ["pass"], "die")).toEqual(["true true false"]);
    expect(await program(both(client("allow", options), RESEND))).toEqual(["0"]);
    expect(await weir.happened()).toEqual(Array(2).fill("acme reserved tokens=3"));
    expect(await weir.reservations()).toEqual(["committed"]);
  });

  it("keeps no more than it may, and says so", async () => {
    const full = {
      python: `
try:
    weir.record("acme", "call", {"n": 3})
except NoAnswer as error:
    print(error)
`,
      ts: `
try {
  await weir.record({ customerId: "acme", eventType: "call", values: { n: 3 } });
} catch (error) {
  if (error instanceof NoAnswer) console.log(error.message);
}
`,
    };
    const options = { patience: 0.2, rest: 0, keepIn: KEPT, keepAtMost: 2 };
    const lines = await program(both(client("allow", options), both(both(RECORD, RECORD), full)), [], "garble");
    expect(lines).toEqual(["false", "false", "weir does not answer: and 2 records are kept already"]);
    expect(await program(both(client("allow", options), RESEND))).toEqual(["0"]);
    expect(await weir.happened()).toEqual(Array(2).fill("acme call n=1"));
  });

  it("gives up what Weir refuses for good, tells of it, and sends the rest; a line cut off by a crash was no promise", async () => {
    const lines = [{ n: "one" }, { n: 2 }].map((values, at) => {
      const event = { customerId: "acme", eventType: "call", values, idempotencyKey: `key-${at}` };
      return JSON.stringify(["/events/record", JSON.stringify(event)]);
    });
    await writeFile(join(weir.folder, KEPT), `${lines.join("\n")}\n["/events/rec`);
    const code = both(client("allow", { keepIn: KEPT }), RESEND);
    const ended = await run(weir, language, IMPORTS[language] + code[language]);
    expect(said(ended)).toEqual(["0"]);
    expect(ended.stderr).toMatch(/given up: 400 invalid_field_value/);
    expect(await weir.happened()).toEqual(["acme call n=2"]);
    expect(await readFile(join(weir.folder, KEPT), "utf8")).toBe("");
  });

  it("keeps what only a wrong key stops", async () => {
    expect(await program(both(client("allow", { patience: 0.2, keepIn: KEPT }), RECORD), [], "reset")).toEqual(["false"]);
    const wrong = both(client("allow", { keepIn: KEPT, key: "weir_sk_wrong" }), {
      python: `
for ask in (weir.resend, lambda: weir.check("acme")):
    try:
        ask()
    except Refused as error:
        print(error.status, error.code)
`,
      ts: `
for (const ask of [() => weir.resend(), () => weir.check({ customerId: "acme" })]) {
  try {
    await ask();
  } catch (error) {
    if (error instanceof Refused) console.log(error.status, error.code);
  }
}
`,
    });
    // Nor does it open any door: that Weir knows nobody by this key is an answer.
    expect(await program(wrong)).toEqual(Array(2).fill("401 invalid_api_key"));
    expect(faults!.seen).toHaveLength(2);
    expect(await program(both(client("allow", { keepIn: KEPT }), RESEND))).toEqual(["0"]);
    expect(await weir.happened()).toEqual(["acme call n=1"]);
  });

  it("sends what is kept by itself", async () => {
    const wait = {
      python: `
while not weir.get("/events")["data"]:
    time.sleep(0.05)
`,
      ts: `
while ((await weir.get<{ data: unknown[] }>("/events")).data.length === 0) {
  await new Promise((done) => setTimeout(done, 50));
}
`,
    };
    const options = { patience: 2, rest: 0, resendEvery: 0.1 };
    expect(await program(both(client("allow", options), both(RECORD, wait)), [{ busy: 60 }])).toEqual(["false"]);
    expect(await weir.happened()).toEqual(["acme call n=1"]);
  });

  it("takes a customer's rate limit for an answer, and does not ask again", async () => {
    await weir.ask("POST", "/rate-limits", { name: "Calls", window: "day", limitValue: 1 });
    expect(await program(both(client("allow", { patience: 30 }), both(TRACK, TRACK)))).toEqual([
      "true true none",
      "false true customer_rate_limited",
    ]);
    expect(faults!.seen).toHaveLength(2);
    expect(await weir.happened()).toEqual(["acme call n=1"]);
  });

  it("takes it for no answer that its key calls too often, hears how long to wait, and refuses nothing that happened", async () => {
    const slow = await weir.ask<{ key: string }>("POST", "/keys", { name: "slow", scope: "ingest", perMinute: 2 });
    const told = {
      python: `answer = weir.check("acme")\nprint(answer.allowed, answer.known, 0 < answer.retry_after <= 61)\n`,
      ts: `const { allowed, known, retryAfter = 0 } = await weir.check({ customerId: "acme" });
console.log(allowed, known, 0 < retryAfter && retryAfter <= 61);\n`,
    };
    const options = { patience: 0.5, rest: 0, keepIn: KEPT };
    const all = both(client("refuse", { ...options, key: slow.key }), both(both(RECORD, RECORD), both(RECORD, told)));
    expect(await program(all)).toEqual(["true", "true", "false", "false false true"]);
    expect(await program(both(client("refuse", options), RESEND))).toEqual(["0"]);
    expect(await weir.happened()).toEqual(Array(3).fill("acme call n=1"));
  });

  it("does what the guide says when Weir is away and comes back, as pasted", async () => {
    const outage = blocks("docs/guide.md").find((block) => block.section === "When Weir does not answer" && block.language === language)!;
    expect(said(await run(weir, language, outage.code, { WEIR_URL: await nobody() }))).toEqual([
      "working though weir is away",
      "still to be sent: 1",
    ]);
    expect(await weir.happened()).toEqual([]);
    expect(said(await run(weir, language, outage.code))).toEqual(["working as allowed", "still to be sent: 0"]);
    expect(await weir.happened()).toEqual(Array(2).fill("acme llm.completion tokens=1200"));
  });

  it("fails closed as the guide says, as pasted", async () => {
    const [check] = blocks("docs/guide.md").filter((block) => block.section === "Check, do the work, record" && block.language === language);
    expect(said(await run(weir, language, check!.code, { WEIR_URL: await nobody() }))).toEqual(["not now"]);
    expect(await weir.happened()).toEqual([]);
  });
});
