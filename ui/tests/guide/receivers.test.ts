/** The receivers of webhooks, as they stand on their page: they believe a real Weir alone, and do everything once. */
import { createHmac } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nobody } from "./faults";
import { blocks } from "./pages";
import { run, start, type Started } from "./programs";
import { Weir } from "./weir";

const found = blocks("docs/receiving-webhooks.md");
const LOW = "acme has 1.5 left\n";
/** For what a busy machine needs time for. */
const PATIENT = { timeout: 30_000 };

interface Attempt {
  status: number | null;
}

let weir: Weir;
let address: string;
let receiver: Started | undefined;

beforeEach(async () => {
  weir = await Weir.start();
  address = await nobody();
});
afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
  await weir.stop();
});

describe.each(["python", "ts"] as const)("the receiver in %s", (language) => {
  const [program, ...others] = found.filter((block) => block.language === language);
  if (!program || others.length > 0) throw new Error(`${others.length} programs too many`);

  async function listen(secret: string): Promise<void> {
    await receiver?.stop();
    receiver = await start(weir, language, program!.code, { PORT: new URL(address).port, WEIR_WEBHOOK_SECRET: secret });
    const stands = () => fetch(address, { method: "POST" }).then((answer) => answer.status, () => receiver!.stderr);
    await expect.poll(stands, PATIENT).toBe(401);
  }

  /** Makes the endpoint as the page does: its id, and the secret that the page puts into a file. */
  async function endpoint(): Promise<{ id: string; secret: string }> {
    for (const block of found.filter((each) => each.language === "sh")) {
      const { code, stderr } = await run(weir, "sh", block.code, { RECEIVER_URL: address });
      expect(code, stderr).toBe(0);
    }
    const { data } = await weir.ask<{ data: { id: string }[] }>("GET", "/webhooks");
    expect(data).toHaveLength(1);
    return { id: data[0]!.id, secret: (await readFile(join(weir.folder, "webhook-secret"), "utf8")).trim() };
  }

  /** Lets a balance fall low. */
  async function fall(name: string): Promise<void> {
    const balance = { customerId: "acme", name };
    await weir.ask("POST", "/balances", { ...balance, initialBalance: 10, lowBalanceThreshold: 2 });
    await weir.ask("POST", "/balances/debit", { ...balance, amount: "8.5" });
  }

  async function deliveries(id: string): Promise<{ id: string; attempts: Attempt[] }[]> {
    return (await weir.ask<{ data: { id: string; attempts: Attempt[] }[] }>("GET", `/webhooks/${id}/deliveries`)).data;
  }

  const files = (folder: string) => readdirSync(join(weir.folder, folder)).sort();

  /** Sends something by hand: the answer's status. */
  async function send(body: string, headers: Record<string, string>): Promise<number> {
    return (await fetch(address, { method: "POST", headers, body })).status;
  }

  it("hears what a real Weir says, once, though it is said again, also to the next receiver", async () => {
    const { id, secret } = await endpoint();
    await listen(secret);
    await fall("credits");
    await expect.poll(() => receiver!.stdout, PATIENT).toBe(LOW);
    const [delivery, ...more] = await deliveries(id);
    expect(more).toEqual([]);
    const again = async (times: number) => {
      await weir.ask("POST", `/webhooks/${id}/deliveries/${delivery!.id}/redeliver`, {});
      const statuses = async () => (await deliveries(id)).flatMap((each) => each.attempts).map((each) => each.status);
      await expect.poll(statuses, PATIENT).toEqual(Array(times).fill(204));
    };
    await again(2);
    expect(receiver!.stdout).toBe(LOW);
    await listen(secret);
    await again(3);
    // What comes afterwards is heard, so nothing of before is on its way.
    await fall("tokens");
    await expect.poll(() => receiver!.stdout, PATIENT).toBe(LOW);
    expect(files("done")).toHaveLength(2);
    expect(files("inbox")).toEqual([]);
  });

  it("hears the old secret and the new one while a rotated secret still signs", async () => {
    const { id, secret } = await endpoint();
    await listen(secret);
    const rotated = (await weir.ask<{ secret: string }>("POST", `/webhooks/${id}/rotate`, {})).secret;
    expect(rotated).not.toBe(secret);
    await fall("credits");
    await expect.poll(() => receiver!.stdout, PATIENT).toBe(LOW);
    await listen(rotated);
    await fall("tokens");
    await expect.poll(() => receiver!.stdout, PATIENT).toBe(LOW);
  });

  it("believes nobody else", async () => {
    const secret = `whsec_${Buffer.from("a secret of the test, 32 bytes..").toString("base64")}`;
    await listen(secret);
    const data = { customerId: "acme", currentBalance: 1.5 };
    const body = JSON.stringify({ id: "msg_1", type: "balance.low", timestamp: new Date().toISOString(), data });
    const now = new Date();
    const signed = (by: string, at: Date, id = "msg_1") => ({
      "webhook-id": id,
      "webhook-timestamp": `${Math.floor(at.getTime() / 1000)}`,
      "webhook-signature": new Webhook(by).sign(id, at, body),
    });
    const good = signed(secret, now);
    const stale = new Date(now.getTime() - 3_600_000);
    const other = `whsec_${Buffer.from("the secret of somebody else.....").toString("base64")}`;
    const bad: [string, Record<string, string>][] = [
      [body.replace("1.5", "150"), good],
      [body, { ...good, "webhook-id": "msg_2" }],
      [body, { ...good, "webhook-timestamp": `${Number(good["webhook-timestamp"]) + 1}` }],
      [body, signed(secret, stale)],
      [body, signed(secret, new Date(now.getTime() + 3_600_000))],
      [body, signed(other, now)],
      [body, { ...good, "webhook-signature": "v1" }],
      [body, { ...good, "webhook-signature": "v1,%" }],
      [body, { ...good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,") }],
      [body, {}],
      ["", {}],
    ];
    for (const [sent, headers] of bad) expect(await send(sent, headers), JSON.stringify(headers)).toBe(401);
    expect(await send("x".repeat(1_000_001), good).catch(() => 413)).toBe(413);
    expect([...files("inbox"), ...files("done")]).toEqual([]);
    // The same, signed as it should be, by the definition itself, beside a signature that is none of ours.
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const hash = createHmac("sha256", key).update(`msg_1.${good["webhook-timestamp"]}.${body}`).digest("base64");
    const beside = signed(other, now)["webhook-signature"];
    expect(await send(body, { ...good, "webhook-signature": `${beside} v1,${hash}` })).toBe(204);
    expect(await send(body, good)).toBe(204);
    await expect.poll(() => receiver!.stdout, PATIENT).toBe(LOW);
    await expect.poll(() => files("done"), PATIENT).toEqual(["msg_1.json"]);
    expect(readFileSync(join(weir.folder, "done/msg_1.json"), "utf8")).toBe(body);
  });

  it("does what it had stored before it died, and passes over what it cannot do", async () => {
    await mkdir(join(weir.folder, "inbox"));
    const message = { id: "msg_1", type: "balance.low", data: { customerId: "acme", currentBalance: 1.5 } };
    await writeFile(join(weir.folder, "inbox/broken.json"), "{");
    await writeFile(join(weir.folder, "inbox/msg_1.json"), JSON.stringify(message));
    await writeFile(join(weir.folder, "inbox/msg_2.json.new"), "{");
    await listen(`whsec_${Buffer.from("a secret of the test, 32 bytes..").toString("base64")}`);
    await expect.poll(() => receiver!.stdout, PATIENT).toBe(LOW);
    await expect.poll(() => files("done"), PATIENT).toEqual(["msg_1.json"]);
    expect(files("inbox")).toEqual(["broken.json", "msg_2.json.new"]);
    expect(receiver!.stderr).toContain("left in the inbox: ");
  });
});
