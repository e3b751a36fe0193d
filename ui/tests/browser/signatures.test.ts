/** What a running Weir sends, held against the independent package `standardwebhooks`, also while a secret is rotated. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Weir } from "./weir";

interface Arrival {
  body: string;
  headers: Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>;
}

const CUSTOMERS = ["acme", 'quo"te', "back\\slash", "Straße", "e\u0301", "中文 語", "😀😀", "\u202eleft", "\u2028line", "a.b.c.1.{}"];

describe("signatures", () => {
  let weir: Weir;
  let server: Server;
  const arrived: Arrival[] = [];
  beforeAll(async () => {
    weir = await Weir.start();
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        arrived.push({ body: Buffer.concat(parts).toString("utf8"), headers: signed(request.headers) });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });
  afterAll(async () => {
    server?.close();
    await weir?.stop();
  });

  it("are verified by another implementation, which signs the same, with the old and the new secret", async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
    const made = await weir.api("POST", "/webhooks", { url, allowPrivate: true });
    const meter = await weir.api("POST", "/meters", { name: "Zähler 計", aggregation: "sum", field: "values.tokens" });
    const limit = { name: "“Limit” 限", meterId: meter.id, limitValue: 100, period: "month", alertThresholds: [50] };
    await weir.api("POST", "/limits", limit);

    const rotate = async (overlapSeconds: number) =>
      (await weir.api("POST", `/webhooks/${made.id}/rotate`, { overlapSeconds })).secret as string;
    const tell = async (turn: string, secrets: string[], others: string[]) => {
      for (const customer of CUSTOMERS) {
        await weir.api("POST", "/track", { customerId: `${customer} ${turn}`, eventType: "call", values: { tokens: 60 } });
      }
      await expect.poll(() => arrived.length).toBe(CUSTOMERS.length);
      const told = arrived.splice(0);
      expect(told.map(({ body }) => JSON.parse(body).data.customerId)).toEqual(CUSTOMERS.map((customer) => `${customer} ${turn}`));
      for (const arrival of told) check(arrival, secrets, others);
    };

    const first = made.secret as string;
    await tell("1", [first], []);
    const second = await rotate(86_400);
    await tell("2", [second, first], []);
    const third = await rotate(86_400);
    await tell("3", [third, second], [first]);
    const fourth = await rotate(0);
    await tell("4", [fourth], [first, second, third]);
  });
});

function signed(headers: IncomingHttpHeaders): Arrival["headers"] {
  const text = (name: string) => headers[name] as string;
  return {
    "webhook-id": text("webhook-id"),
    "webhook-timestamp": text("webhook-timestamp"),
    "webhook-signature": text("webhook-signature"),
  };
}

/** Each of these secrets signed it, in this order, none of the others did, and nothing of it can be changed. */
function check({ body, headers }: Arrival, secrets: string[], others: string[]) {
  const id = headers["webhook-id"];
  const seconds = Number(headers["webhook-timestamp"]);
  const theirs = secrets.map((secret) => new Webhook(secret).sign(id, new Date(seconds * 1_000), body));
  expect(headers["webhook-signature"].split(" ")).toEqual(theirs);
  const verified = (secret: string, text: string, changed: Partial<Arrival["headers"]> = {}) =>
    new Webhook(secret).verify(text, { ...headers, ...changed });
  for (const secret of secrets) {
    expect(verified(secret, body)).toEqual(JSON.parse(body));
    expect(() => verified(secret, `${body} `)).toThrow(WebhookVerificationError);
    expect(() => verified(secret, body.normalize("NFKD").replace("type", "tyqe"))).toThrow(WebhookVerificationError);
    for (const changed of [
      { "webhook-id": `${id}0` },
      { "webhook-timestamp": String(seconds + 1) },
      { "webhook-timestamp": String(seconds - 301) },
      { "webhook-timestamp": String(seconds + 360) },
      { "webhook-signature": headers["webhook-signature"].replaceAll("v1,", "v2,") },
      { "webhook-signature": headers["webhook-signature"].slice(0, 8) },
    ]) {
      expect(() => verified(secret, body, changed)).toThrow(WebhookVerificationError);
    }
  }
  for (const secret of others) expect(() => verified(secret, body)).toThrow(WebhookVerificationError);
}
