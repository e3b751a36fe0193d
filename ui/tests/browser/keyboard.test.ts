import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, grouped, sampleSums, Weir } from "./weir";

/** As a hand without a mouse gets there. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let i = 0; i < 60; i++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never came to ${wanted}`);
}

describe("by keyboard alone", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/sample", {});
  });
  afterAll(() => weir?.stop());

  it("a meter is made, shown before it is saved, and then a limit on it that someone is already beyond", async () => {
    const sums = await sampleSums();
    const { page, complaints, close } = await weir.open("#/overview");
    await page.getByText("Closest to their limits").waitFor();

    // A meter: the sum of the output tokens.
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    await page.getByRole("heading", { level: 1, name: "Meters" }).waitFor();
    await page.keyboard.press("n");
    await page.getByRole("heading", { level: 1, name: "New meter" }).waitFor();
    const name = page.getByRole("textbox", { name: "Name" });
    await expect.poll(() => name.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type("Output");
    await tabTo(page, page.getByRole("combobox", { name: "Value", exact: false }).first());
    await page.keyboard.type("output_tokens");
    await page.getByRole("option", { name: "output_tokens" }).waitFor();
    await page.keyboard.press("Enter");
    const output = sums.code.output + sums.conv.output;
    await page.getByText(grouped(output)).first().waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { level: 1, name: "Output" }).waitFor();
    await page.locator(`[role=slider][aria-valuetext*="${grouped(output)}"]`).waitFor();

    // A limit: one below what the conversations used, so that they are beyond it.
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await page.getByRole("heading", { level: 1, name: "Limits" }).waitFor();
    await page.keyboard.press("n");
    await page.getByRole("heading", { level: 1, name: "New limit" }).waitFor();
    const value = page.getByRole("textbox", { name: "How much" });
    await expect.poll(() => value.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type(String(sums.conv.output - 1n));
    await tabTo(page, page.getByRole("combobox", { name: "Of which meter" }));
    await page.keyboard.type("Output");
    await page.getByRole("option", { name: /^Output/ }).waitFor();
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("combobox", { name: /In which period/ }).or(page.getByRole("button", { name: /In which period/ })));
    await page.keyboard.press("Enter");
    await page.getByRole("option", { name: "in all" }).waitFor();
    await page.keyboard.type("in");
    await page.keyboard.press("Enter");
    // It says whom it would refuse, and asks before it does.
    await page.getByText("would be refused at once").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Control+Enter");
    const warning = page.getByRole("alertdialog");
    await warning.waitFor();
    await expectAccessible(page);
    await tabTo(page, warning.getByRole("button").last());
    await page.keyboard.press("Enter");
    await warning.waitFor({ state: "detached" });
    await page.getByRole("row", { name: /azure-conv.*Exceeded/ }).waitFor();

    // And the customer's page says so, exactly.
    await page.keyboard.press("Control+k");
    await page.keyboard.type("azure-conv");
    await page.getByRole("option", { name: /azure-conv/, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("gridcell", { name: new RegExp(`^${grouped(sums.conv.output)} of ${grouped(sums.conv.output - 1n)}`) }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("the palette makes new things from any screen", async () => {
    const { page, complaints, close } = await weir.open("#/settings");
    // Keys are heard once the console stands.
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Limits" }).waitFor();
    for (const [label, title] of [
      ["New limit", "New limit"],
      ["New balance", "New balance"],
      ["New meter", "New meter"],
      ["New customer", "Customers"],
    ] as const) {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog", { name: "Command palette" }).waitFor();
      await page.keyboard.type(label);
      await page.getByRole("option", { name: label, selected: true }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
    }
    await page.getByRole("dialog", { name: "New customer" }).waitFor();
    await page.keyboard.press("Escape");
    // Where the screen offers the same, it stands there once.
    await page.getByRole("dialog", { name: "New customer" }).waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("New customer");
    await page.getByRole("option", { name: /New customer/ }).first().waitFor();
    expect(await page.getByRole("option", { name: /New customer/ }).count()).toBe(1);
    expect(complaints).toEqual([]);
    await close();
  });

  it("the palette opens what was typed, not what stood there before it was looked up", async () => {
    const { page, complaints, close } = await weir.open("#/settings");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("azure-co");
    const first = page.getByRole("option", { selected: true });
    await expect.poll(() => first.innerText()).toContain("azure-co");
    const other = (await first.innerText()).includes("azure-conv") ? "azure-code" : "azure-conv";
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route(`**/v1/customers?*${other}*`, async (route) => {
      await held;
      await route.continue();
    });
    await page.keyboard.press("Control+a");
    await page.keyboard.type(other);
    await page.keyboard.press("Enter");
    release();
    await page.getByRole("heading", { level: 1, name: other }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
