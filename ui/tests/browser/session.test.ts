import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

/** Everything that a script of the page could take: none of it may open anything. */
async function withinReach(page: Page): Promise<string> {
  return page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
}

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
}

const signInPage = (page: Page) => page.getByRole("heading", { name: "Sign in to Weir" });

describe("a session in a browser", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  it("is begun with a key that no script finds afterwards, and outlives a reload and a new tab", async () => {
    const { page, complaints, close } = await weir.open("#/settings", { key: null });
    await signInPage(page).waitFor();
    expect(await page.getByText("You are no longer signed in").count()).toBe(0);
    await signIn(page, weir.key);
    const reach = await withinReach(page);
    expect(JSON.parse(reach)[0]).toBe("");
    for (const secret of [weir.key, "weir_sk_", "weir_cs_"]) expect(reach).not.toContain(secret);

    const { port } = new URL(weir.address);
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ name: `weir_session_${port}`, path: "/", httpOnly: true, sameSite: "Strict", secure: false }]);
    expect(cookies[0]!.value).toMatch(/^weir_cs_[0-9a-f]{64}$/);
    const days = (cookies[0]!.expires - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);

    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    const second = await page.context().newPage();
    await second.goto(`${weir.address}/#/settings`);
    await second.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    // What changes something goes by the cookie as well, and so does the stream: the other tab hears of it.
    await page.getByLabel("Name").fill("By a session");
    await page.getByLabel("Name").press("Enter");
    await page.getByText("Project saved.").waitFor();
    await second.locator(".project").getByText("By a session").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is ended by signing out, in every tab, and asked for again", async () => {
    const { page, complaints, close } = await weir.open("#/settings");
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    const second = await page.context().newPage();
    await second.goto(`${weir.address}/#/settings`);
    await second.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    const [cookie] = await page.context().cookies();

    await page.getByRole("button", { name: "Sign out" }).click();
    await signInPage(page).waitFor();
    expect(await page.getByText("You are no longer signed in").count()).toBe(0);
    expect(await page.context().cookies()).toEqual([]);
    await second.getByText("You are no longer signed in").waitFor();
    await expectAccessible(second);
    // The cookie that was opens nothing any more, whoever kept it.
    const kept = await fetch(`${weir.address}/v1/project`, { headers: { Cookie: `${cookie!.name}=${cookie!.value}` } });
    expect(kept.status).toBe(401);

    await second.reload();
    await signInPage(second).waitFor();
    await signIn(second, weir.key);
    expect(complaints).toEqual([]);
    await close();
  });

  it("ends with its key, and says so", async () => {
    const made = await weir.api("POST", "/keys", { name: "brief", scope: "manage" });
    const { page, complaints, close } = await weir.open("#/settings", { key: made.key as string });
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await weir.api("DELETE", `/keys/${made.id as string}`);
    await page.getByText("You are no longer signed in").waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await page.getByLabel("API key").fill(made.key as string);
    await page.keyboard.press("Enter");
    await page.getByText("This key is unknown or was revoked.").waitFor();
    expect(await page.getByText("You are no longer signed in").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("of a key that has made all the calls it may says so and until when, and can be ended", async () => {
    const made = await weir.api("POST", "/keys", { name: "little", scope: "manage", perDay: 6 });
    const { page, complaints, close } = await weir.open("#/overview", { key: made.key as string, theme: "dark" });
    const sidebar = page.locator(".connection");
    await sidebar.getByText("This key has made all its calls").waitFor();
    await sidebar.getByText(/The console goes on by itself (tomorrow|in \d+ hours) \(\w+, .*\)\./).waitFor();
    expect(await page.getByText("Connection lost").count()).toBe(0);
    await expectAccessible(page);

    await page.reload();
    await page.getByRole("heading", { level: 1, name: "This key has made all its calls" }).waitFor();
    await page.getByText(/It may call again (tomorrow|in \d+ hours) \(/).waitFor();
    expect(await page.getByText(/could not be loaded|does not answer|\d{4,} s/).count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await signInPage(page).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await page.getByLabel("API key").fill(weir.key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    expect(await sidebar.innerText()).toBe("");
    expect(complaints).toEqual([]);
    await close();
  });

  it("stays where the server cannot end it, in words", async () => {
    const { page, complaints, close } = await weir.open("#/settings");
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    const door = "**/console/session";
    await page.route(door, (route) => route.abort());
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("That did not work").waitFor();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await page.unroute(door);
    await page.getByRole("button", { name: "Sign out" }).click();
    await signInPage(page).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is not for pages of other ports, which browsers send its cookie with", async () => {
    const strangers = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>Stranger</title>"));
    await new Promise<void>((ready) => strangers.listen(0, "127.0.0.1", ready));
    const { page, close } = await weir.open("#/settings");
    try {
      await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
      await page.goto(`http://127.0.0.1:${(strangers.address() as AddressInfo).port}/`);
      for (const [method, path] of [["GET", "/v1/project"], ["POST", "/v1/sample"], ["GET", "/console/session"]] as const) {
        const heard = page.waitForResponse(`${weir.address}${path}`);
        const init: RequestInit = { method, mode: "no-cors", credentials: "include" };
        await page.evaluate(([url, init]) => fetch(url, init).then(() => {}), [`${weir.address}${path}`, init] as const);
        // Without the cookie it would be 401: the browser did send it.
        expect((await heard).status(), `${method} ${path}`).toBe(403);
      }
      await page.goto(`${weir.address}/#/settings`);
      await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    } finally {
      await close();
      strangers.close();
    }
  });
});
