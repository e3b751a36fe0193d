import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("exceptions for one customer", () => {
  let weir: Weir;
  let daily: string;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/customers", { externalId: "acme", name: "Acme", timezone: "Europe/Berlin" });
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    daily = (await weir.api("POST", "/limits", { name: "Daily tokens", meterId: meter.id, limitValue: "100", period: "day" })).id as string;
    await weir.api("POST", "/limits", { name: "In all", meterId: meter.id, limitValue: "5000", period: "all_time" });
    await weir.api("POST", "/track", { customerId: "acme", eventType: "llm.call", values: { tokens: "97.5" } });
  });
  afterAll(() => weir?.stop());

  interface Standing {
    name: string;
    limit: string;
    used: string;
    raised: { ownValue: string; until: string; note: string } | null;
    resetAt: string | null;
  }
  const standing = async (name: string) =>
    ((await weir.api("GET", "/customers/acme/standing")).limits as Standing[]).find((limit) => limit.name === name)!;

  it("give 10,000 more until Friday in three steps, said before they are saved, and take it back", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme");
    await page.getByRole("button", { name: "Raise… Daily tokens" }).click();
    const dialog = page.getByRole("dialog", { name: "Raise a limit for acme" });
    await dialog.waitFor();
    expect(new URL(page.url()).hash).toBe(`#/customers/acme?raise=${daily}`);
    // The focus is in the value.
    await page.keyboard.type("+10,000");
    await dialog.getByText("Friday 18:00").click();
    await dialog.getByText(/^Acme may use 10,100\stokens per day instead of 100 until Friday, \w+ \d+, 18:00; then 100 is back\.$/).waitFor();
    await dialog.getByText("Used so far: 97.5. That leaves 10,002.5 instead of 2.5.").waitFor();
    await expectAccessible(page);

    // What is missing is said at the field.
    await dialog.getByRole("button", { name: "Raise", exact: true }).click();
    await dialog.getByRole("alert").filter({ hasText: "Say why." }).waitFor();
    await dialog.getByLabel("Note").fill("Launch week");
    await page.keyboard.press("Control+Enter");
    await dialog.waitFor({ state: "detached" });

    await page.getByText(/Raised until Friday, \w+ \d+, 18:00/).waitFor();
    await page.getByText(/10,100\stokens instead of 100 per day/).waitFor();
    await page.getByRole("gridcell", { name: /^97\.5 of 10,100\stokens$/ }).waitFor();
    const { limit, raised } = await standing("Daily tokens");
    expect([limit, raised!.ownValue, raised!.note]).toEqual(["10100", "100", "Launch week"]);
    const until = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", weekday: "short", hour: "2-digit", minute: "2-digit" });
    expect(until.format(new Date(raised!.until)).replace(",", "")).toBe("Fri 18:00");
    await expectAccessible(page);

    await page.getByRole("button", { name: "Take back" }).click();
    const confirm = page.getByRole("alertdialog", { name: "Take the raise of Daily tokens back?" });
    await confirm.getByText(/Acme may use 100\stokens per day again, at once\./).waitFor();
    await expectAccessible(page);
    await confirm.getByRole("button", { name: "Take back" }).click();
    await page.getByRole("gridcell", { name: /^97\.5 of 100\stokens$/ }).waitFor();
    expect((await standing("Daily tokens")).raised).toBeNull();
    await page.getByRole("button", { name: "Undo" }).last().click();
    await page.getByRole("gridcell", { name: /^97\.5 of 10,100\stokens$/ }).waitFor();
    expect((await standing("Daily tokens")).raised).toEqual(raised);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are changed from the palette, refused at the field where they would lower the limit, and undone to what stood before", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme/audit", { theme: "dark" });
    await page.getByText("Raised limit").first().waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("raise a limit for acme");
    await page.getByRole("option", { name: /Raise a limit for acme/, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Raise a limit for acme" });
    await dialog.waitFor();
    await dialog.getByRole("button", { name: /Limit/ }).or(dialog.getByRole("combobox", { name: /Limit/ })).first().click();
    await page.getByRole("option", { name: /Daily tokens/ }).click();
    const value = dialog.getByLabel("New value");
    await expect.poll(() => value.inputValue()).toBe("10,100");
    expect(await dialog.getByLabel("Note").inputValue()).toBe("Launch week");
    await value.fill("100");
    await dialog.getByText(/Enter more than 100\stokens, the limit’s own value\./).waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").filter({ hasText: /Enter more than 100\stokens/ }).waitFor();
    await expectAccessible(page);
    await value.fill("200");
    await dialog.getByLabel("Until", { exact: true }).fill("2020-01-01T00:00");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").filter({ hasText: "must be in the future" }).waitFor();
    await dialog.getByText("In 7 days").click();
    await value.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("gridcell", { name: /^97\.5 of 200\stokens$/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("gridcell", { name: /^97\.5 of 10,100\stokens$/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("reset what was used, say what stays, and mark it", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme");
    const row = page.getByRole("row", { name: /Daily tokens/ });
    await row.waitFor();
    await row.focus();
    await page.keyboard.press("u");
    const dialog = page.getByRole("dialog", { name: "Reset usage of acme" });
    await dialog.getByText(/^Used 97\.5\stokens becomes 0\. This cannot be undone\.$/).waitFor();
    await dialog.getByText(/The window stays: .+ It ends in /).waitFor();
    await expectAccessible(page);
    await page.keyboard.type("The outage of Tuesday");
    await dialog.getByRole("button", { name: "Reset usage" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("gridcell", { name: /^0 of 10,100\stokens$/ }).waitFor();
    await page.getByText(/^Reset on \w+ \d+, \d{4}, \d\d:\d\d$/).waitFor();
    const { used, resetAt } = await standing("Daily tokens");
    expect([used, typeof resetAt]).toEqual(["0", "string"]);
    expect((await standing("In all")).used).toBe("97.5");
    await weir.api("POST", "/track", { customerId: "acme", eventType: "llm.call", values: { tokens: "2.25" } });
    await page.getByRole("gridcell", { name: /^2\.25 of 10,100\stokens$/ }).waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
