/** Where the key of signing secrets is kept: asked for where it is first needed, and changed in the settings. */
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

/** What the message bus said of a keyring that is not there is to be had, and in nobody's way. */
async function expectFoldedAway(place: Locator) {
  const raw = place.getByText("weir secrets use file");
  expect(await raw.isVisible()).toBe(false);
  await place.getByText("Details").click();
  await raw.waitFor();
}

describe("the key of signing secrets", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start({ secretKey: false });
  });
  afterAll(() => weir?.stop());

  it("is kept nowhere until somebody chooses, which is asked where the first webhook is refused for it", async () => {
    const { page, complaints, close } = await weir.open("#/settings");
    await page.getByText("Nobody has chosen yet.").waitFor();
    await expectAccessible(page);
    const places = page.getByRole("group", { name: "The key is kept" });
    await places.getByLabel("In the system's keyring").click();
    await page.getByRole("alert").getByText("Your system's keyring does not answer.").waitFor();
    await expectFoldedAway(page.locator(".secrets"));
    expect(await places.getByRole("radio", { checked: true }).count()).toBe(0);
    await expectAccessible(page);

    await page.goto(`${weir.address}/#/webhooks/new`);
    await page.getByLabel("Address").fill("https://hooks.example.com/weir");
    await page.keyboard.press("Control+Enter");
    const choice = page.getByRole("group", { name: "Where shall the key of signing secrets be kept?" });
    await choice.getByRole("alert").getByText("Nobody has chosen yet, so nothing was saved.").waitFor();
    await expectFoldedAway(choice);
    await choice.getByText("WEIR_SECRET_KEY").waitFor();
    await expectAccessible(page);
    await choice.getByRole("button", { name: "Keep it in the system's keyring" }).click();
    await choice.getByRole("alert").getByText("Your system's keyring does not answer.").waitFor();
    await choice.getByRole("alert").getByText("No secret is lost.").waitFor();
    await expectAccessible(page);
    await choice.getByRole("button", { name: "Keep it in a file only you can read" }).click();
    // What was written is sent by itself.
    const dialog = page.getByRole("dialog", { name: "Webhook made" });
    await dialog.getByText(/^whsec_/).waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { level: 1, name: "https://hooks.example.com/weir" }).waitFor();

    await page.goto(`${weir.address}/#/settings`);
    await places.getByRole("radio", { name: "In a file only you can read", checked: true }).waitFor();
    expect(await page.getByText("Nobody has chosen yet.").count()).toBe(0);
    await places.getByLabel("In the system's keyring").click();
    await page.getByRole("alert").getByText("does not answer").waitFor();
    await places.getByRole("radio", { name: "In a file only you can read", checked: true }).waitFor();
    await page.goto(`${weir.address}/#/audit`);
    await page.getByRole("row", { name: /Changed where the key of signing secrets is kept.*Signing secrets/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is not asked about where another reason refuses", async () => {
    for (let n = 0; n < 99; n += 1) await weir.api("POST", "/webhooks", { url: `https://hooks.example.com/${n}` });
    const { page, complaints, close } = await weir.open("#/webhooks/new");
    await page.getByLabel("Address").fill("https://hooks.example.com/more");
    const told = page.waitForResponse((response) => response.url().endsWith("/v1/secrets"));
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").getByText("archive one first").waitFor();
    await (await told).finished();
    expect(await page.getByText("Where shall the key of signing secrets be kept?").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("a key in the environment", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  it("is said to be there, and not changed here", async () => {
    const { page, complaints, close } = await weir.open("#/settings", { theme: "dark" });
    await page.getByText("In WEIR_SECRET_KEY, in the environment").waitFor();
    expect(await page.getByRole("group", { name: "The key is kept" }).count()).toBe(0);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
