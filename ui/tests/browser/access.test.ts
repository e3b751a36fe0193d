import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BrowserContext, Page } from "playwright-core";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLOWS, LANGUAGES, snippet, type Flow, type Language } from "../../src/lib/snippets";
import { asWindow, LocalServer } from "./desktop";
import { expectAccessible, Weir } from "./weir";

const run = promisify(execFile);

/** Keys are heard once the console stands. */
const standing = (page: Page) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "API access" }).waitFor();

const clipboard = (context: BrowserContext) => context.grantPermissions(["clipboard-read", "clipboard-write"]);

describe("API keys", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  interface Key {
    name: string;
    perMinute: number | null;
    perDay: number | null;
    oldSecretUntil: string | null;
    expiresAt: string | null;
  }
  const known = async (name: string) => ((await weir.api("GET", "/keys")) as unknown as { data: Key[] }).data.find((key) => key.name === name);

  it("are made with limits of their own, edited, given a new secret, and revoked", async () => {
    const { page, complaints, close } = await weir.open("#/settings", { theme: "dark", before: clipboard });
    await page.getByRole("link", { name: "Open API access" }).click();
    await page.getByRole("heading", { level: 1, name: "API access" }).waitFor();
    await page.getByText("1 key", { exact: true }).waitFor();
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog", { name: "New key" });
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    await dialog.getByText("Give the key a name.").waitFor();
    expect(await dialog.getByLabel("Name").evaluate((field) => [field === document.activeElement, field.getAttribute("aria-invalid")])).toEqual([true, "true"]);
    await expectAccessible(page);
    await dialog.getByLabel("Name").fill("Worker");
    await dialog.getByRole("combobox", { name: "Expires: Never" }).click();
    await page.getByRole("option", { name: "In 30 days" }).click();
    await dialog.getByLabel("Calls per minute").fill("many");
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    await dialog.getByText("“perMinute” must be").waitFor();
    await dialog.getByLabel("Calls per minute").fill("60");
    await dialog.getByLabel("Calls per day").fill("");
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    await dialog.getByText(/^weir_sk_[0-9a-f]{64}$/).waitFor();
    // The whole key is to be seen, beside its button.
    expect(await dialog.locator("pre").evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    // It is not shown again, so it does not go at one wrong key.
    await page.keyboard.press("Escape");
    const leaving = page.getByRole("alertdialog", { name: "Close without copying it?" });
    await leaving.waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await leaving.waitFor({ state: "detached" });
    await dialog.getByText(/^weir_sk_[0-9a-f]{64}$/).waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("row", { name: /Worker.*60\/min.*in (29d|30d|4w)/ }).waitFor();

    const more = page.getByRole("button", { name: "More for Worker" });
    await more.click();
    await page.getByRole("menuitem", { name: "Edit" }).click();
    const edit = page.getByRole("dialog", { name: "Edit the key “Worker”" });
    await expect.poll(() => edit.getByLabel("Calls per minute").inputValue()).toBe("60");
    await edit.getByLabel("Calls per day").fill("5000");
    await edit.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Key “Worker” saved.").waitFor();
    expect(await known("Worker")).toMatchObject({ perMinute: 60, perDay: 5000, oldSecretUntil: null });

    await more.click();
    await page.getByRole("menuitem", { name: "Rotate secret" }).click();
    const rotate = page.getByRole("dialog", { name: "Give the key “Worker” a new secret?" });
    await rotate.getByRole("radio", { name: "In 24 hours", checked: true }).waitFor();
    await rotate.getByText("At once", { exact: true }).click();
    await rotate.getByText("Programs are refused until they have the new one.").waitFor();
    await rotate.getByText("In 7 days", { exact: true }).click();
    await rotate.getByText("Both are good for a week.").waitFor();
    await expectAccessible(page);
    await rotate.getByRole("button", { name: "Rotate secret" }).click();
    const rotated = page.getByRole("dialog", { name: "New secret of “Worker”" });
    await rotated.getByText(/^weir_sk_[0-9a-f]{64}$/).waitFor();
    await rotated.getByRole("button", { name: "Copy Key" }).click();
    await rotated.getByRole("button", { name: "Copied" }).waitFor();
    await page.keyboard.press("Escape");
    await rotated.waitFor({ state: "detached" });
    await page.getByRole("row", { name: /Worker.*2 secrets/ }).waitFor();
    const until = Date.parse((await known("Worker"))!.oldSecretUntil!) - Date.now();
    expect(until / 86_400_000).toBeCloseTo(7, 1);
    await expectAccessible(page);

    await more.click();
    await page.getByRole("menuitem", { name: "Revoke" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row", { name: /Worker.*Revoked/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("are sorted by name, last use and making, and are told by their ids where that is wanted", async () => {
    for (const name of ["beta", "Alpha 10", "alpha 2"]) await weir.api("POST", "/keys", { name, scope: "read" });
    const made = (await known("beta")) as unknown as { id: string };
    const { page, complaints, close } = await weir.open("#/access", { before: clipboard });
    const grid = page.getByRole("grid", { name: "API keys" });
    const names = () => grid.locator(".name").allInnerTexts();
    const newestFirst = await names().then(async (read) => (read.length > 0 ? read : (await grid.locator(".name").first().waitFor(), names())));
    const header = (name: string) => grid.getByRole("columnheader", { name, exact: true });
    const sort = (name: string) => header(name).getByRole("button").click();
    await sort("Name");
    expect((await names()).slice(0, 3)).toEqual(["alpha 2", "Alpha 10", "beta"]);
    expect(await header("Name").getAttribute("aria-sort")).toBe("ascending");
    await sort("Name");
    expect((await names()).slice(-3)).toEqual(["beta", "Alpha 10", "alpha 2"]);
    await sort("Created");
    expect(await names()).toEqual(newestFirst);
    await sort("Created");
    expect(await names()).toEqual(newestFirst.toReversed());
    await sort("Last used");
    expect((await names())[0]).toBe("journeys");
    await expectAccessible(page);

    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Id" }).click();
    await page.keyboard.press("Escape");
    await grid.getByRole("row", { name: /beta/ }).getByRole("button", { name: "Copy Id" }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(made.id);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are reached by the palette and by keys, and each tab has an address", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    await standing(page);
    await page.keyboard.press("g");
    await page.keyboard.press("k");
    await page.getByRole("heading", { level: 1, name: "API access" }).waitFor();
    await page.keyboard.press("3");
    await page.getByText("Paste it into a shell.").waitFor();
    expect(new URL(page.url()).hash).toBe("#/access/snippets");
    await page.keyboard.press("1");
    await page.getByRole("grid", { name: "API keys" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("code snip");
    await page.getByRole("option", { name: "Code snippets", selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Paste it into a shell.").waitFor();

    // At 200 % and in a narrow window nothing is cut off sideways.
    await page.setViewportSize({ width: 640, height: 400 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are for keys that manage, and others are told so", async () => {
    const { key } = (await weir.api("POST", "/keys", { name: "reader", scope: "read" })) as { key: string };
    const { page, complaints, close } = await weir.open("#/access", { key });
    await page.getByText("API keys: only for keys that manage").waitFor();
    await page.getByText("The key that is signed in may only read and check. Sign in with a key of the scope Manage.").waitFor();
    expect(await page.getByText(/server\.get|`manage`/).count()).toBe(0);
    expect(await page.getByRole("button", { name: "New key" }).count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole("link", { name: "Snippets" }).click();
    await page.getByText("Paste it into a shell.").waitFor();
    expect(await page.getByRole("button", { name: "Make a key and put it in" }).count()).toBe(0);
    await page.getByRole("link", { name: "Webhooks" }).click();
    await page.getByText("Webhooks: only for keys that manage").waitFor();
    expect(await page.getByRole("link", { name: "New webhook" }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are not made where the server is not reached, which is said in words", async () => {
    const { page, complaints, close } = await weir.open("#/access");
    await page.getByRole("button", { name: "New key" }).click();
    const dialog = page.getByRole("dialog", { name: "New key" });
    await dialog.getByLabel("Name").fill("Lost");
    await page.route("**/v1/keys", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    await dialog.getByText("Weir cannot be reached. Nothing was saved.").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("say where a server that was started from the command line is changed", async () => {
    const { page, complaints, close } = await weir.open("#/access");
    const card = page.getByRole("region", { name: "Local server" });
    await card.getByText("It was started from the command line").waitFor();
    await card.getByText(/^weir serve --data "\/.*" --listen 127\.0\.0\.1:\d+$/).waitFor();
    expect(await card.getByRole("switch").count()).toBe(0);
    expect(await card.getByRole("link", { name: /^API pages/ }).getAttribute("href")).toBe(`${weir.address}/docs`);
    expect(await card.getByRole("link", { name: /^OpenAPI/ }).getAttribute("href")).toBe(`${weir.address}/v1/openapi.json`);
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("the local server in the window", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  const fresh = (more: object = {}) =>
    new LocalServer({ enabled: true, address: "http://127.0.0.1:8787", lanAddresses: [], lan: false, port: 8787, canChange: true, error: null, ...more });

  it("is opened to the network only after saying what that means, and closed again", async () => {
    const server = fresh();
    const { page, complaints, close } = await weir.open("#/access", { key: null, before: asWindow(weir, server) });
    const card = page.getByRole("region", { name: "Local server" });
    const others = card.getByRole("switch", { name: "Cannot reach it" });
    await others.click();
    const asking = page.getByRole("alertdialog", { name: "Let other machines reach it?" });
    await asking.getByText(/nothing is encrypted/).waitFor();
    await asking.getByText(/They still need a key/).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await asking.waitFor({ state: "detached" });
    expect(await others.isChecked()).toBe(false);
    expect(server.changes).toEqual([]);

    await others.click();
    await asking.getByRole("button", { name: "Let them" }).click();
    await card.getByText("http://192.168.1.20:8787").waitFor();
    await card.getByRole("switch", { name: "Can reach it", checked: true }).waitFor();
    await expectAccessible(page);
    await card.getByRole("switch", { name: "Can reach it" }).click();
    await card.getByText("http://192.168.1.20:8787").waitFor({ state: "detached" });
    expect(server.changes).toEqual([{ lan: true }, { lan: false }]);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is turned off after saying who is refused then, and its snippets wait for it", async () => {
    const server = fresh();
    const { page, complaints, close } = await weir.open("#/access/snippets", { key: null, theme: "dark", before: asWindow(weir, server) });
    const card = page.getByRole("region", { name: "Local server" });
    await page.getByText("WEIR=http://127.0.0.1:8787/v1").waitFor();
    await card.getByRole("switch", { name: "On" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Turn off" }).click();
    await card.getByText("None while it is off").waitFor();
    await page.getByText("The local server is off, so there is no address to send to.").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Turn it on" }).click();
    await card.getByRole("switch", { name: "On", checked: true }).waitFor();
    await page.getByText("WEIR=http://127.0.0.1:8787/v1").waitFor();
    expect(server.changes).toEqual([{ enabled: false }, { enabled: true }]);
    expect(complaints).toEqual([]);
    await close();
  });

  it("says why it is not on although it is to be, and takes another port, checked at its field", async () => {
    const server = fresh({ address: null, error: "port 8787 is taken by another program" });
    const { page, complaints, close } = await weir.open("#/access", { key: null, before: asWindow(weir, server) });
    const card = page.getByRole("region", { name: "Local server" });
    await card.getByRole("alert").getByText("port 8787 is taken by another program").waitFor();
    await expectAccessible(page);
    await card.getByRole("alert").getByRole("button", { name: "Change the port" }).click();
    const dialog = page.getByRole("dialog", { name: "Change the port" });
    await dialog.getByLabel("Port").fill("80");
    await page.keyboard.press("Enter");
    await dialog.getByText("“port” must be a whole number").waitFor();
    expect(await dialog.getByLabel("Port").getAttribute("aria-invalid")).toBe("true");
    await expectAccessible(page);
    await dialog.getByLabel("Port").fill("9000");
    await page.keyboard.press("Enter");
    await card.getByText("http://127.0.0.1:9000").waitFor();
    expect(await card.getByRole("alert").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("says on which port it is where its own was taken", async () => {
    const { page, complaints, close } = await weir.open("#/access", { key: null, before: asWindow(weir, fresh({ address: "http://127.0.0.1:8788" })) });
    await page.getByText("Port 8787 was taken by another program, so it listens on 8788 until it starts anew.").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("client tokens", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/customers", { externalId: "acme", name: "Acme Corporation" });
    await weir.api("POST", "/customers", { externalId: "globex" });
  });
  afterAll(() => weir?.stop());

  const make = async (customerId: string, more: object = {}) => (await weir.api("POST", "/client-tokens", { publicMetadata: { customerId }, ...more })) as { id: string; token: string };

  it("say what they are while there are none, and are made by a form that says what is wrong where it is", async () => {
    const { page, complaints, close } = await weir.open("#/access/tokens");
    await page.getByText("No client tokens").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog", { name: "New client token" });
    await dialog.getByLabel("Public metadata").fill('{"plan": }');
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    await dialog.getByText("Choose a customer.").waitFor();
    await dialog.getByText(/^is no JSON/).waitFor();
    await expectAccessible(page);
    await dialog.getByRole("combobox", { name: "Customer" }).fill("acme");
    await page.getByRole("option", { name: /acme/ }).first().click();
    await dialog.getByLabel("Public metadata").fill('{"plan": "pro", "customerId": "globex"}');
    await dialog.getByText("names another customer than the one chosen").waitFor();
    await dialog.getByLabel("Public metadata").fill('{"plan": "pro"}');
    await dialog.getByLabel("Server context").fill('{"account": "internal-7"}');
    await dialog.getByRole("combobox", { name: "Good for: 1 hour" }).click();
    await page.getByRole("option", { name: "8 hours" }).click();
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    const made = page.getByRole("dialog", { name: "Client token of acme" });
    const token = await made.getByText(/^weir_ct_/).innerText();
    await expectAccessible(page);
    await made.getByRole("button", { name: "Look at it" }).click();
    const drawer = page.getByRole("dialog", { name: "Client token" });
    await drawer.getByText('"plan": "pro"').waitFor();
    await drawer.getByText('"account": "internal-7"').waitFor();
    await drawer.getByText("Active", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toMatch(/token=/);
    await expectAccessible(page);
    const known = await weir.api("POST", "/client-tokens/introspect", { token });
    expect(known).toMatchObject({ customerId: "acme", publicMetadata: { customerId: "acme", plan: "pro" }, serverContext: { account: "internal-7" } });
    expect(complaints).toEqual([]);
    await close();
  });

  it("are filtered by customer, found by the token itself, and revoked", async () => {
    await make("acme");
    const { token } = await make("globex", { ttlSeconds: 60 });
    const { page, complaints, close } = await weir.open("#/access/tokens?customer=globex", { theme: "dark" });
    await page.getByText("1 token", { exact: true }).waitFor();
    await page.getByRole("row", { name: /globex.*Active.*in (1m|\d+s)/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Look up a token" }).click();
    const finder = page.getByRole("dialog", { name: "Look up a token" });
    await finder.getByLabel("Token").fill("weir_ct_nothing");
    await page.keyboard.press("Enter");
    await finder.getByRole("alert").waitFor();
    await expectAccessible(page);
    await finder.getByLabel("Token").fill(token);
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog", { name: "Client token" });
    await drawer.getByRole("link", { name: "globex" }).waitFor();
    await drawer.getByRole("button", { name: "Revoke…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
    await drawer.getByText("Revoked", { exact: true }).first().waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    await page.getByRole("row", { name: /globex.*Revoked/ }).waitFor();
    expect(await page.getByText(/^in (1m|\d+s)$/).count()).toBe(0);
    expect(await weir.api("POST", "/client-tokens/introspect", { token })).toMatchObject({ active: false });
    expect(complaints).toEqual([]);
    await close();
  });

  it("are taken from pages of the origins that are allowed, each checked where it is written", async () => {
    const allowed = async () => (await weir.api("GET", "/project")).clientOrigins;
    const { page, complaints, close } = await weir.open("#/access/tokens");
    await page.getByRole("button", { name: "Add origin" }).click();
    const field = page.getByRole("textbox", { name: "Origin" });
    await field.fill("https://app.example.com/path");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("without a path").waitFor();
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    await expectAccessible(page);
    await field.fill("HTTPS://App.Example.com:443");
    await page.keyboard.press("Enter");
    await page.getByText("Pages of https://app.example.com may call now.").waitFor();
    await expect.poll(allowed).toEqual(["https://app.example.com"]);
    await page.getByRole("button", { name: "Remove https://app.example.com" }).click();
    await expect.poll(allowed).toEqual([]);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(allowed).toEqual(["https://app.example.com"]);
    await page.getByRole("button", { name: "Remove https://app.example.com" }).waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("snippets", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  const events = async () => ((await weir.api("GET", "/events?limit=100")) as unknown as { data: { id: string }[] }).data.length;

  /** Runs code as it was copied. */
  async function paste(language: Language, code: string): Promise<string> {
    if (language === "curl") return (await run("bash", ["-c", code])).stdout;
    const folder = await mkdtemp(join(tmpdir(), "weir-snippet-"));
    try {
      const file = join(folder, language === "python" ? "snippet.py" : "snippet.mjs");
      // This Node runs JavaScript alone: types are taken away, nothing else is changed.
      const js = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
      await writeFile(file, language === "python" ? code : ts.transpileModule(code, { compilerOptions: js }).outputText);
      return (await run(language === "python" ? "python3" : process.execPath, [file])).stdout;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("are copied with the real address and a key made on the spot, shown in part, and run as pasted", async () => {
    const { page, complaints, close } = await weir.open("#/access/snippets?flow=track&language=python", { before: clipboard });
    await page.getByRole("button", { name: "Make a key and put it in" }).click();
    await page.getByText("Key “My app” is in the code").waitFor();
    const code = page.getByRole("region", { name: "Track in Python" });
    expect(await code.innerText()).toMatch(/weir_sk_[0-9a-f]{4}•+"/);
    await page.getByRole("button", { name: "Copy Track in Python" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const key = /weir_sk_[0-9a-f]{64}/.exec(copied)![0];
    expect(copied).toBe(snippet("track", "python", { address: weir.address, key }));
    expect(await page.content()).not.toContain(key);
    await expectAccessible(page);

    await page.getByText("TypeScript", { exact: true }).click();
    await page.getByText("Check, work, record", { exact: true }).click();
    await page.getByRole("region", { name: "Check, work, record in TypeScript" }).waitFor();
    expect(new URL(page.url()).hash).toMatch(/flow=check&language=typescript/);
    expect(complaints).toEqual([]);
    await close();
  });

  it.each(FLOWS.flatMap((flow) => LANGUAGES.map((language): [Flow, Language] => [flow, language])))("of %s in %s record an event as they stand", async (flow, language) => {
    const { key } = (await weir.api("POST", "/keys", { name: "paste", scope: "ingest" })) as { key: string };
    const before = await events();
    const said = await paste(language, snippet(flow, language, { address: weir.address, key }));
    expect(said).toMatch(/recorded/);
    expect(await events()).toBe(before + 1);
  });

  it("say that a call was refused, and by what", async () => {
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens" });
    await weir.api("POST", "/limits", { name: "Tight", meterId: meter.id, limitValue: "1", period: "day" });
    const { key } = (await weir.api("POST", "/keys", { name: "paste", scope: "ingest" })) as { key: string };
    const place = { address: weir.address, key };
    const before = await events();
    for (const language of ["python", "typescript"] as const) {
      expect(await paste(language, snippet("check", language, place))).toMatch(/^Refused by Tight/);
      expect(await paste(language, snippet("track", language, place))).toMatch(/^Refused: .*Tight/);
    }
    expect(await paste("curl", snippet("track", "curl", place))).toMatch(/Status 429/);
    expect(await events()).toBe(before);
  });
});
