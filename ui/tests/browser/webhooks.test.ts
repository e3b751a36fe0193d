import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

/** Hears what it is told, and answers as it was bidden. */
class Receiver {
  readonly told: { headers: IncomingHttpHeaders; body: string }[] = [];
  status = 200;
  /** Answers wait for it. */
  gate: Promise<void> = Promise.resolve();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on("request", (request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        receiver.told.push({ headers: request.headers, body });
        void receiver.gate.then(() => response.writeHead(receiver.status, { "Content-Type": "application/json" }).end(`{"status":${receiver.status}}`));
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function signed({ headers, body }: { headers: IncomingHttpHeaders; body: string }, secret: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64")}`;
}

describe("webhooks", () => {
  let weir: Weir;
  let receiver: Receiver;
  beforeAll(async () => {
    weir = await Weir.start();
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    receiver?.stop();
    await weir?.stop();
  });

  const make = async (more: object = {}) => (await weir.api("POST", "/webhooks", { url: receiver.url, allowPrivate: true, ...more })) as { id: string; secret: string };
  const standing = (page: Page) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Webhooks" }).waitFor();
  const fact = (page: Page, name: string) => page.locator("dl > div").filter({ has: page.getByText(name, { exact: true }) }).locator("dd").first();

  it("say what they are while there are none, and are made by a form that says what is wrong where it is", async () => {
    const { page, complaints, close } = await weir.open("#/overview", { before: (context) => context.grantPermissions(["clipboard-read", "clipboard-write"]) });
    await standing(page);
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    await page.getByRole("heading", { level: 1, name: "Webhooks" }).waitFor();
    await page.getByText("No webhooks yet").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("n");
    const url = page.getByLabel("Address");
    await expect.poll(() => url.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type(receiver.url);
    await page.keyboard.press("Control+Enter");
    await page.getByText(/private network/).first().waitFor();
    await page.getByRole("alert").getByText("Tick the box below if that is meant.").waitFor();
    expect(await url.getAttribute("aria-invalid")).toBe("true");
    await expectAccessible(page);
    await page.getByLabel("May lie on this machine or in a private network").check();
    await page.getByLabel("Description").fill("Billing service");
    await page.getByLabel("Only this:").check();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").getByText("“eventTypes” must name at least one type").waitFor();
    await expectAccessible(page);
    await page.getByLabel("A customer reaches an alert threshold of a limit").check();
    await page.getByLabel("A balance falls to its threshold").check();
    await page.keyboard.press("Control+Enter");
    const dialog = page.getByRole("dialog", { name: "Webhook made" });
    const secret = await dialog.getByText(/^whsec_/).innerText();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { level: 1, name: receiver.url }).waitFor();
    expect(await fact(page, "Told of").innerText()).toBe("2 types");

    // The secret is asked for when it is to be seen, and gone when it is hidden.
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Show the secret" }).click();
    await page.getByText(secret).waitFor();
    await page.getByRole("button", { name: "Hide the secret" }).click();
    await page.getByText(secret).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Copy Signing secret" }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    const id = /whk_[0-9a-f-]+/.exec(page.url())![0];
    expect(await weir.api("GET", `/webhooks/${id}`)).toMatchObject({ description: "Billing service", eventTypes: ["limit.threshold_reached", "balance.low"], secret });

    await page.keyboard.press("e");
    await page.getByLabel("Everything, also what later versions tell").check();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Webhook saved.").waitFor();
    await expect.poll(() => fact(page, "Told of").innerText()).toBe("Everything");
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => fact(page, "Told of").innerText()).toBe("2 types");
    expect(complaints).toEqual([]);
    await close();
  });

  it("are tested, and the delivery is shown live until it is answered", async () => {
    const { id, secret } = await make();
    let answer = () => {};
    receiver.gate = new Promise((done) => (answer = done));
    const { page, complaints, close } = await weir.open(`#/webhooks/${id}`, { theme: "dark" });
    await page.getByText("Nothing was told yet").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("t");
    const drawer = page.getByRole("dialog", { name: "ping" });
    await drawer.getByText("Waiting for the answer…").waitFor();
    await expectAccessible(page);
    answer();
    await drawer.getByText(/^It answered 200 in [\d,]+ ms\.$/).waitFor();
    await drawer.getByText(receiver.url, { exact: true }).waitFor();
    const told = receiver.told.at(-1)!;
    expect(String(told.headers["webhook-signature"]).split(" ")).toContain(signed(told, secret));
    await drawer.getByText(`"webhookId": "${id}"`).waitFor();
    await drawer.getByText(`webhook-id: ${told.headers["webhook-id"]}`).waitFor();
    await drawer.getByText('{"status":200}').waitFor();
    await expectAccessible(page);

    // Once more, under the same id, as a delivery of its own.
    const first = page.url();
    await drawer.getByRole("button", { name: "Send again" }).click();
    await expect.poll(() => page.url()).not.toBe(first);
    await drawer.getByText(/^It answered 200/).waitFor();
    await expect.poll(() => receiver.told.filter((each) => each.headers["webhook-id"] === told.headers["webhook-id"]).length).toBe(2);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    await page.getByText("2 deliveries", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("say that they fail and why, when it is tried again, and try at once on demand", async () => {
    receiver.status = 500;
    const { id } = await make({ description: "Failing" });
    await weir.api("POST", `/webhooks/${id}/test`);
    const { page, complaints, close } = await weir.open("#/webhooks");
    await page.getByRole("row", { name: /Failing.*Failing, \d in a row.*1.*500/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole("row", { name: /Failing, \d in a row/ }).getByRole("link").click();
    await page.getByText(/^The last .* failed: it answered 500/).waitFor();
    await page.getByRole("row", { name: /ping\s*Waiting\s*500/ }).waitFor();
    await expectAccessible(page);
    await page.getByText("Given up", { exact: true }).click();
    await page.getByText("No delivery matches").waitFor();
    expect(new URL(page.url()).hash).toContain("state=failed");
    await page.getByRole("button", { name: "Clear filters" }).first().click();
    await page.getByRole("combobox", { name: "Type: Any type" }).click();
    await page.getByRole("option", { name: "ping" }).click();
    await page.getByText("1 delivery", { exact: true }).waitFor();

    await page.locator("[role=row][data-index='0']").click();
    const drawer = page.getByRole("dialog", { name: "ping" });
    await drawer.getByText(/^Not delivered yet: it answered 500/).waitFor();
    await drawer.getByText("Attempt 1", { exact: true }).waitFor();
    await expectAccessible(page);
    receiver.status = 204;
    await drawer.getByRole("button", { name: "Try now" }).click();
    await drawer.getByText(/^It answered 204/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { level: 1 }).getByText(receiver.url).waitFor();
    await page.getByText(/^The last .* failed/).waitFor({ state: "detached" });
    receiver.status = 200;

    // At 200 % the rows are still reached, and nothing is cut off sideways.
    await drawer.waitFor({ state: "detached" });
    await page.setViewportSize({ width: 640, height: 400 });
    await page.locator("[role=row][data-index='0']").scrollIntoViewIfNeeded();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are given a new secret with a choice of overlap, turned off and on, and archived", async () => {
    const { id, secret } = await make({ description: "Rotated" });
    const { page, complaints, close } = await weir.open(`#/webhooks/${id}`);
    const menu = async (item: string) => {
      await page.getByRole("button", { name: "Actions" }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await fact(page, "Signing secret").waitFor();
    await menu("Rotate secret…");
    const rotate = page.getByRole("dialog", { name: "Give this webhook a new secret?" });
    await rotate.getByText("No longer", { exact: true }).click();
    await rotate.getByText(/For a secret that has leaked/).waitFor();
    await expectAccessible(page);
    await rotate.getByText("1 hour", { exact: true }).click();
    await rotate.getByRole("button", { name: "Rotate secret" }).click();
    const shown = page.getByRole("dialog", { name: "New signing secret" });
    const fresh = await shown.getByText(/^whsec_/).innerText();
    expect(fresh).not.toBe(secret);
    await shown.getByRole("button", { name: "Done" }).click();
    await shown.waitFor({ state: "detached" });
    await expect.poll(() => fact(page, "Old secret signs until").innerText()).toMatch(/^in (59m|1h)$/);
    const before = receiver.told.length;
    await weir.api("POST", `/webhooks/${id}/test`);
    await expect.poll(() => receiver.told.length).toBe(before + 1);
    const told = receiver.told.at(-1)!;
    expect(told.headers["webhook-signature"]).toBe(`${signed(told, fresh)} ${signed(told, secret)}`);

    await menu("Turn off…");
    await page.getByRole("alertdialog").getByText(/also not later/).waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Turn off" }).click();
    await page.getByText("Off: what happens now is not told to it.").waitFor();
    expect(await page.getByRole("button", { name: /^Send a test/ }).isDisabled()).toBe(true);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Turn on", exact: true }).click();
    await page.getByText("Off: what happens now is not told to it.").waitFor({ state: "detached" });

    await menu("Archive…");
    await page.getByRole("alertdialog").getByRole("button", { name: "Archive" }).click();
    await page.getByText("This webhook is archived: it is told nothing more.").waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Webhooks" }).last().click();
    await page.getByRole("row", { name: /Rotated/ }).waitFor({ state: "detached" });
    await page.getByLabel("Archived").check();
    await page.getByRole("row", { name: /Rotated.*Archived/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("show a message with every digit, as it is sent", async () => {
    const { id } = await make({ eventTypes: ["limit.exceeded"] });
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    await weir.api("POST", "/limits", { name: "Daily", meterId: meter.id, limitValue: "1000000000000.000000001", period: "day", alertThresholds: [100] });
    await weir.api("POST", "/events/record", { customerId: "42", eventType: "call", values: { tokens: "1000000000000.000000002" } });
    const { page, complaints, close } = await weir.open(`#/webhooks/${id}`, { theme: "dark" });
    await page.getByRole("row", { name: /limit\.exceeded\s*Delivered/ }).click();
    const payload = page.getByRole("region", { name: "Payload" });
    await payload.getByText('"limit": 1000000000000.000000001,').waitFor();
    const sent = receiver.told.map((each) => each.body).find((body) => body.includes('"limit.exceeded"'))!;
    // White space apart, it is the very text that was sent.
    const bare = (text: string) => text.replace(/\s+/g, "");
    expect(bare(await payload.innerText())).toBe(bare(sent));
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
