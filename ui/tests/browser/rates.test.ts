import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("rate limits", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/customers", { externalId: "acme" });
  });
  afterAll(() => weir?.stop());

  const call = async (): Promise<number> => {
    const response = await fetch(`${weir.address}/v1/track`, {
      method: "POST",
      headers: { Authorization: `Bearer ${weir.key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ customerId: "acme", eventType: "llm.call", dimensions: { model: "gpt-4" } }),
    });
    await response.body?.cancel();
    return response.status;
  };

  it("one is written as a sentence by keyboard, corrected at the field, and holds from the next call on", async () => {
    const { page, complaints, close } = await weir.open("#/limits");
    await page.getByRole("link", { name: "Rate limits", exact: true }).click();
    await page.getByText("No rate limits yet").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("n");
    const many = page.getByRole("textbox", { name: "How many calls" });
    await many.waitFor();
    await expect.poll(() => many.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type("1.5");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").filter({ hasText: "Enter a whole number above 0." }).waitFor();
    await many.fill("2000000000");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").filter({ hasText: "1,000,000,000" }).waitFor();
    await expectAccessible(page);
    await many.fill("2");
    expect(await page.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Calls per minute");
    await page.getByRole("combobox", { name: "Within which window" }).or(page.getByRole("button", { name: "Within which window" })).first().click();
    await page.getByRole("option", { name: "per day" }).click();
    await page.keyboard.press("Control+Enter");
    await page.getByText("At most 2 calls per day for every customer").waitFor();
    await page.getByText("1 rate limit", { exact: true }).waitFor();

    expect([await call(), await call(), await call()]).toEqual([201, 201, 429]);
    await page.goto(`${weir.address}/#/customers/acme`);
    await page.getByText("0 of 2 calls").waitFor();
    await page.getByText("Calls per day: used 2 of 2 calls per day").waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Show why" }).click();
    const drawer = page.getByRole("dialog", { name: "Refused: llm.call" });
    await drawer.getByText("Calls per day admits 2 calls per day, and none was left.").waitFor();
    await drawer.getByRole("link", { name: "Calls per day" }).click();
    await page.getByRole("heading", { level: 1, name: "Calls per day" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("one is found in the palette, changed and taken back, switched off, archived and made anew", async () => {
    await weir.api("POST", "/rate-limits", { name: "Burst", window: "second", limitValue: 10, customerId: "acme" });
    const { page, complaints, close } = await weir.open("#/overview", { theme: "dark" });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("burst");
    await expect.poll(() => page.getByRole("option", { selected: true }).innerText()).toContain("Burst");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Burst" }).waitFor();
    const name = page.getByRole("textbox", { name: "Name" });
    await expect.poll(() => name.inputValue()).toBe("Burst");
    await expectAccessible(page);
    await page.getByRole("textbox", { name: "How many calls" }).fill("25");
    await page.keyboard.press("Control+Enter");
    await page.getByText("At most 25 calls per second for acme").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("At most 10 calls per second for acme").waitFor();
    await expectAccessible(page);

    await page.getByRole("link", { name: "Burst" }).click();
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Switch off" }).click();
    await page.getByText("This rate limit is off").waitFor();
    await page.getByRole("button", { name: "Actions", exact: true }).click();
    await page.getByRole("menuitem", { name: /Archive/ }).click();
    await page.getByRole("alertdialog", { name: "Archive Burst?" }).getByRole("button", { name: "Archive" }).click();
    await page.getByText("1 rate limit", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Make it anew" }).click();
    await page.getByText("2 rate limits", { exact: true }).waitFor();
    const made = page.getByRole("row", { name: /Burst/ });
    await made.getByText("Off", { exact: true }).waitFor();

    await page.goto(`${weir.address}/#/limits/rates/new`);
    await page.getByRole("textbox", { name: "How many calls" }).fill("1");
    await page.getByRole("textbox", { name: "Name" }).fill("Calls per day");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").filter({ hasText: "another live rate limit" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
