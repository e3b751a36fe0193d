import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("balances", () => {
  let weir: Weir;
  let meter: string;
  beforeAll(async () => {
    weir = await Weir.start();
    meter = (await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" })).id as string;
    await weir.api("POST", "/customers", { externalId: "acme", name: "Acme Corporation", timezone: "America/New_York" });
  });
  afterAll(() => weir?.stop());

  const make = async (name: string, more: object = {}) =>
    (await weir.api("POST", "/balances", { customerId: "acme", name, unit: "credits", ...more })).id as string;
  const move = (how: string, name: string, amount: string, more: object = {}) =>
    weir.api("POST", `/balances/${how}`, { customerId: "acme", name, amount, ...more });
  const stands = async (id: string) => (await weir.api("GET", `/balances/${id}`)).currentBalance;
  const figure = (page: Page, name: string) =>
    page.locator("dl > div").filter({ has: page.getByText(name, { exact: true }) }).locator("dd").first();
  /** Keys are heard once the console stands. */
  const standing = (page: Page) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Balances" }).waitFor();

  it("say what they are while there are none, and are created by a form that says what is wrong where it is", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    await standing(page);
    await page.keyboard.press("g");
    await page.keyboard.press("b");
    await page.getByRole("heading", { level: 1, name: "Balances" }).waitFor();
    await page.getByText("No balances yet").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("n");
    await page.getByRole("heading", { level: 1, name: "New balance" }).waitFor();
    await page.getByRole("button", { name: /^Create/ }).click();
    await page.getByText("Choose a customer.").waitFor();
    await page.getByText("Enter a name.").waitFor();
    await expectAccessible(page);

    await page.getByRole("combobox", { name: "Customer" }).fill("acme");
    await page.getByRole("option", { name: /acme/ }).first().click();
    await page.getByLabel("Name").fill("Credits");
    await page.getByLabel("Unit").fill("credits");
    await page.getByLabel("Initial amount").fill("1,000.5");
    await page.getByLabel("Low at").fill("50");
    await page.getByRole("checkbox", { name: "Ask for a top-up" }).check();
    await page.getByLabel("How much to add").fill("500");
    await page.getByLabel("When it falls to").fill("10");
    await page.getByRole("checkbox", { name: "Pay for usage of a meter" }).check();
    await page.getByLabel("Price").fill("3");
    await page.getByLabel("Per how many units").fill("1,000");
    await page.getByRole("combobox", { name: "Of which meter" }).fill("Tok");
    await page.getByRole("option", { name: /Tokens/ }).click();
    await page.getByRole("checkbox", { name: "Credit it again and again" }).check();
    await page.getByLabel("How much", { exact: true }).fill("100");
    await page.getByRole("checkbox", { name: "Each expires as the next comes" }).check();
    await expectAccessible(page);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { level: 1, name: "Credits" }).waitFor();
    await expect.poll(() => figure(page, "Available").innerText()).toMatch(/^1,000\.5/);
    await page.getByText("3\u202fcredits for every 1,000 of Tokens, refuses when it cannot pay").waitFor();
    await page.getByText("Adds 100\u202fcredits every month, each expires as the next comes").waitFor();
    await page.getByText("Asks for 500\u202fcredits when it falls to 10").waitFor();
    await page.getByRole("row", { name: /Credit\s*Initial amount.*\+1,000\.5.*1,000\.5/ }).waitFor();
    await expectAccessible(page);

    // The server's own word stands at the field.
    await page.goto(`${weir.address}/#/balances/new?customer=acme`);
    await page.getByLabel("Name").fill("Credits");
    await page.getByRole("button", { name: /^Create/ }).click();
    await page.getByRole("alert").first().waitFor();
    expect(await page.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
    expect(complaints).toEqual([]);
    await close();
  });

  it("are credited and debited with a preview, once however often it is pressed", async () => {
    const id = await make("Preview", { initialBalance: "0.1" });
    const { page, complaints, close } = await weir.open(`#/balances/${id}`, { theme: "dark" });
    await standing(page);
    await expect.poll(() => figure(page, "Available").innerText()).toMatch(/^0\.1/);
    await page.keyboard.press("c");
    const credit = page.getByRole("dialog", { name: "Credit Preview of acme" });
    await credit.getByLabel("Amount").fill("0.2");
    await credit.getByText("The balance goes from 0.1 to 0.3\u202fcredits.").waitFor();
    await credit.getByLabel("Expires").fill("2001-01-01T00:00");
    await credit.getByText("Choose a time that is still to come.").waitFor();
    await credit.getByLabel("Expires").fill("2099-01-01T00:00");
    await credit.getByLabel("Description").fill("Goodwill after the outage");
    await credit.getByLabel("Reference").fill("INV-1");
    await expectAccessible(page);
    await credit.getByRole("button", { name: "Credit", exact: true }).dblclick();
    await page.getByText("Credited 0.2\u202fcredits to Preview of acme.").waitFor();
    await page.getByText("2 entries", { exact: true }).waitFor();
    expect(await stands(id)).toBe("0.3");
    await page.getByRole("row", { name: /Goodwill after the outage.*INV-1.*\+0\.2.*0\.3/ }).waitFor();

    await page.getByRole("button", { name: "Debit", exact: true }).click();
    const debit = page.getByRole("dialog", { name: "Debit Preview of acme" });
    await debit.getByLabel("Amount").fill("0.300000001");
    await debit.getByText("Too little: it has only 0.3\u202fcredits available, so this is refused.").waitFor();
    expect(await debit.getByRole("button", { name: "Debit", exact: true }).isDisabled()).toBe(true);
    await expectAccessible(page);
    // Somebody else is quicker: what is available is said anew.
    await debit.getByLabel("Amount").fill("0.3");
    await debit.getByText("The balance goes from 0.3 to 0\u202fcredits.").waitFor();
    await move("debit", "Preview", "0.25");
    await debit.getByText("Too little: it has only 0.05\u202fcredits available, so this is refused.").waitFor();
    await debit.getByLabel("Amount").fill("0.04");
    await debit.getByRole("button", { name: "Debit", exact: true }).click();
    await page.getByText("Debited 0.04\u202fcredits from Preview of acme.").waitFor();
    expect(await stands(id)).toBe("0.01");

    // The same reference again is refused by the server, at its field. A dialog keeps its keys until it is gone.
    await debit.waitFor({ state: "detached" });
    await page.keyboard.press("c");
    await credit.getByLabel("Amount").fill("1");
    await credit.getByLabel("Reference").fill("INV-1");
    await credit.getByRole("button", { name: "Credit", exact: true }).click();
    await credit.getByRole("alert").waitFor();
    await page.keyboard.press("Escape");
    await credit.waitFor({ state: "detached" });
    await page.keyboard.press("x");
    const adjust = page.getByRole("dialog", { name: "Adjust Preview of acme" });
    await adjust.getByLabel("Correction").fill("-1");
    await adjust.getByText("It will be below its minimum.").waitFor();
    await adjust.getByRole("button", { name: "Adjust", exact: true }).click();
    await adjust.getByLabel("Note").fill("counted twice");
    await adjust.getByRole("button", { name: "Adjust", exact: true }).click();
    await page.getByText("Adjusted Preview of acme by -1\u202fcredits.").waitFor();
    await page.getByText("Overdrawn").waitFor();
    await page.getByRole("row", { name: /Adjustment\s*counted twice.*-1.*-0\.99/ }).waitFor();
    expect(await stands(id)).toBe("-0.99");
    expect(complaints).toEqual([]);
    await close();
  });

  it("keep a ledger that is filtered in the address and read entry by entry", async () => {
    const id = await make("Ledger", { metered: { meterId: meter, amount: "3", per: 1000 }, dimensionFilters: { model: "ledger" }, priority: 1, initialBalance: "10" });
    await move("credit", "Ledger", "5", { description: "Promotion", source: "promotional", priority: 1 });
    const event = await weir.api("POST", "/track", { customerId: "acme", eventType: "call", values: { tokens: "2000" }, dimensions: { model: "ledger" } });
    const { page, complaints, close } = await weir.open(`#/balances/${id}`);
    const rows = page.locator("[role=row][data-index]");
    await page.getByText("3 entries", { exact: true }).waitFor();
    await expect.poll(async () => (await rows.allInnerTexts()).map((text) => text.split(/\s+/).slice(-2).join(" "))).toEqual(["-6 9", "+5 15", "+10 10"]);
    await rows.first().click();
    const drawer = page.getByRole("dialog", { name: /^Debit: -6/ });
    await drawer.getByText("2,000 of the meter").waitFor();
    await drawer.getByText("Promotion", { exact: true }).waitFor();
    await drawer.getByText("journeys", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toMatch(/entry=txn_/);
    await expectAccessible(page);
    await page.keyboard.press("ArrowDown");
    await page.getByRole("dialog", { name: /^Credit: \+5/ }).getByText("Promotional", { exact: true }).waitFor();
    await page.keyboard.press("ArrowUp");
    await drawer.getByRole("link", { name: event.id as string }).click();
    await page.getByRole("heading", { level: 1, name: "Events" }).waitFor();
    await page.goBack();
    await drawer.waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });

    await page.getByRole("combobox", { name: "Type: Any type" }).click();
    await page.getByRole("option", { name: "Debit" }).click();
    await page.getByText("1 entry", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toContain("type=debit");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText("3 entries", { exact: true }).waitFor();

    await page.keyboard.press("2");
    await page.getByRole("row", { name: /Next\s*9 of 10/ }).waitFor();
    await page.getByRole("row", { name: /0 of 5.*Promotional.*Spent/ }).waitFor();
    await expectAccessible(page);

    // At 200 % the rows are still reached: the screen scrolls as a whole.
    await page.setViewportSize({ width: 640, height: 400 });
    const row = page.locator("[role=row][data-index='0']");
    await row.scrollIntoViewIfNeeded();
    await expect.poll(async () => (await page.getByRole("grid").boundingBox())!.height).toBeGreaterThan(100);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are held, captured and released", async () => {
    const id = await make("Held", { initialBalance: "20" });
    const { page, complaints, close } = await weir.open(`#/balances/${id}/holds`, { theme: "dark" });
    await page.getByText("Nothing is held").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("h");
    const dialog = page.getByRole("dialog", { name: "Hold an amount of Held of acme" });
    await dialog.getByLabel("Amount").fill("7.5");
    await dialog.getByLabel("Description").fill("Render job");
    await dialog.getByText("1 hour").click();
    await dialog.getByText("Available: 12.5\u202fcredits instead of 20.").waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Hold", exact: true }).click();
    await page.getByRole("row", { name: /7\.5\scredits.*Render job.*Live.*in (1h 0m|59m)/ }).waitFor();
    await expect.poll(() => figure(page, "Held").innerText()).toBe("7.5");
    await move("hold", "Held", "2", { ttlSeconds: 3600 });
    await page.getByText("2 holds", { exact: true }).waitFor();

    await page.getByRole("button", { name: /^Capture 7\.5\scredits, Render job/ }).click();
    const capture = page.getByRole("dialog", { name: /^Capture the hold of 7\.5/ });
    await capture.getByLabel("Actual amount").fill("18.1");
    await capture.getByText("Too little: it has only 18\u202fcredits available, so this is refused.").waitFor();
    await capture.getByLabel("Actual amount").fill("5.5");
    await capture.getByText("2\u202fcredits of the hold is free again.").waitFor();
    await expectAccessible(page);
    await capture.getByRole("button", { name: "Capture", exact: true }).click();
    await page.getByText("Captured 5.5\u202fcredits.").waitFor();
    await page.getByText("1 hold", { exact: true }).waitFor();
    expect(await stands(id)).toBe("14.5");

    await page.getByRole("button", { name: /^Release 2\scredits/ }).click();
    const confirm = page.getByRole("alertdialog", { name: /^Release 2\scredits\?/ });
    await expectAccessible(page);
    await confirm.getByRole("button", { name: "Release", exact: true }).click();
    await page.getByText("Nothing is held").waitFor();
    await page.getByRole("button", { name: "Show ended ones" }).click();
    await page.getByText("2 holds", { exact: true }).waitFor();
    await page.getByRole("row", { name: /7\.5\scredits.*Captured.*5\.5/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("open an alert as they fall low, which leads to them, and stand first in the list", async () => {
    const id = await make("Falling", { initialBalance: "10", lowBalanceThreshold: "5", topUp: { below: "2", amount: "100" } });
    const { page, complaints, close } = await weir.open("#/alerts?customer=acme");
    await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
    await move("debit", "Falling", "5.5");
    const row = page.getByRole("row", { name: /acme.*Falling.*5\scredits.*4\.5\scredits left.*Open/ });
    await row.waitFor();
    await expectAccessible(page);
    await row.click();
    const drawer = page.getByRole("dialog", { name: /^acme: Falling fell to 4\.5\scredits \(threshold 5\)$/ });
    await drawer.waitFor();
    await expectAccessible(page);
    await drawer.getByRole("link", { name: "Go to the balance" }).click();
    await page.getByRole("heading", { level: 1, name: "Falling" }).waitFor();
    await page.getByText("Low", { exact: true }).waitFor();
    await move("debit", "Falling", "3");
    await page.getByText("Top up", { exact: true }).waitFor();
    await page.goto(`${weir.address}/#/alerts?customer=acme`);
    await page.getByRole("row", { name: /Falling.*2\scredits.*1\.5\scredits left/ }).click();
    await page.getByRole("dialog", { name: /^acme: Falling wants a top-up of 100: 1\.5\scredits left$/ }).waitFor();

    await weir.api("POST", "/customers", { externalId: "rich" });
    await page.goto(`${weir.address}/#/customers`);
    await page.getByText("2 customers", { exact: true }).waitFor();
    await page.getByRole("checkbox", { name: "Low balance" }).check();
    await page.getByText("1 customer", { exact: true }).waitFor();
    await page.getByRole("row", { name: /acme/ }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/customers?low=1");

    await page.goto(`${weir.address}/#/balances`);
    await page.getByRole("row", { name: /Falling.*acme.*1\.5\scredits/ }).waitFor();
    await page.getByRole("checkbox", { name: "Only low ones" }).check();
    await page.getByText("1 balance", { exact: true }).waitFor();
    await page.getByRole("checkbox", { name: "Only low ones" }).uncheck();
    await page.getByLabel("Search name or customer").fill("fall");
    await page.getByText("1 balance", { exact: true }).waitFor();
    await expectAccessible(page);
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download Balances as CSV" }).click();
    const lines = (await readFile(await (await downloading).path(), "utf8")).trim().split("\r\n");
    expect(lines[0]).toContain("Name,Customer,Available,Current,Held,Low at,Spent daily,Lasts,Expires next");
    expect(lines[1]).toMatch(/^Falling,acme,1\.5,1\.5,0,5,/);

    // Credited from the row, it is low no more.
    await page.locator("[role=row][data-index='0']").focus();
    await page.keyboard.press("c");
    const credit = page.getByRole("dialog", { name: "Credit Falling of acme" });
    await credit.getByLabel("Amount").fill("100");
    await credit.getByText("It will no longer be low.").waitFor();
    await credit.getByRole("button", { name: "Credit", exact: true }).click();
    await page.getByRole("row", { name: /Falling.*101\.5\scredits/ }).waitFor();
    expect((await weir.api("GET", `/balances/${id}`)).low).toBe(false);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are summed up for a month of the customer's, with every entry as a file", async () => {
    const id = await make("Summed", { initialBalance: "100" });
    await move("debit", "Summed", "30.25", { reference: "r1" });
    await move("debit", "Summed", "0.000000001");
    const { page, complaints, close } = await weir.open(`#/balances/${id}/statement`);
    await page.getByText("Months in the customer’s zone, America/New_York").waitFor();
    await expect.poll(() => figure(page, "Closing balance").innerText()).toBe("69.749999999");
    expect(await figure(page, "Opening balance").innerText()).toBe("0");
    expect(await figure(page, "Credited").innerText()).toBe("+100");
    expect(await figure(page, "Debited").innerText()).toBe("-30.250000001");
    await expectAccessible(page);
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download its entries" }).click();
    const lines = (await readFile(await (await downloading).path(), "utf8")).trim().split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain("When,Type,What,Amount,Balance after,Paid by,Reference");
    expect(lines[2]).toMatch(/,debit,.*,-30\.25,69\.75,txn_\S+ 30\.25,r1,/);

    await page.getByText("Last month").click();
    await page.getByText("Nothing moved it in this period.").waitFor();
    await page.getByText("Range", { exact: true }).click();
    await page.getByLabel("From").fill("2020-01-01T00:00");
    await page.getByLabel("To", { exact: true }).fill("2019-01-01T00:00");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("The end must come after the start.").waitFor();
    await expectAccessible(page);
    await page.getByLabel("To", { exact: true }).fill("2098-01-01T00:00");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("3 entries", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Show its entries" }).click();
    await page.getByRole("row", { name: /-30\.25.*69\.75/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("are changed and archived, each with a way back", async () => {
    const id = await make("Changed", { initialBalance: "1" });
    const { page, complaints, close } = await weir.open(`#/balances/${id}`);
    await page.getByRole("heading", { level: 1, name: "Changed" }).waitFor();
    await page.getByText("1 entry", { exact: true }).waitFor();
    await page.keyboard.press("e");
    await page.getByRole("heading", { level: 1, name: "Edit Changed" }).waitFor();
    await page.getByLabel("Minimum").fill("-5");
    await page.keyboard.press("Control+Enter");
    await expect.poll(() => figure(page, "Available").innerText()).toMatch(/^6/);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => figure(page, "Available").innerText()).toMatch(/^1/);

    await page.getByRole("button", { name: "Actions", exact: true }).click();
    await page.getByRole("menuitem", { name: "Archive…" }).click();
    const confirm = page.getByRole("alertdialog", { name: "Archive Changed?" });
    await expectAccessible(page);
    await confirm.getByRole("button", { name: "Archive", exact: true }).click();
    await page.getByText("This balance is archived: nothing moves it.").waitFor();
    expect(await page.getByRole("button", { name: "Credit", exact: true }).count()).toBe(0);
    await page.getByRole("button", { name: "Undo", exact: true }).last().click();
    await page.getByRole("button", { name: "Credit", exact: true }).waitFor();

    // The changes stand in the audit, by name.
    await page.goto(`${weir.address}/#/audit?what=balances`);
    await page.getByRole("row", { name: /Restored balance.*Changed/ }).waitFor();
    await page.getByRole("row", { name: /Archived balance.*Changed/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  for (const theme of ["light", "dark"] as const) {
    it(`are accessible in ${theme} wherever they are shown`, async () => {
      const name = `Shown in ${theme}`;
      const metered = { meterId: meter, amount: "3", per: 1000, enforcement: "soft" };
      const recurringCredit = { amount: "100", mode: "up_to", period: "month", expires: true };
      const id = await make(name, { initialBalance: "10", lowBalanceThreshold: "100", topUp: { below: "20", amount: "50" }, metered, recurringCredit, dimensionFilters: { theme } });
      await move("credit", name, "5", { expiresAt: "2099-01-01T00:00:00Z", source: "goodwill", description: "Sorry" });
      await weir.api("POST", "/track", { customerId: "acme", eventType: "call", values: { tokens: "9000" }, dimensions: { theme } });
      await move("adjust", name, "20", { note: "Found" });
      await move("hold", name, "1", { ttlSeconds: 3600 });
      const { page, complaints, close } = await weir.open("#/balances", { theme });
      const shows: [address: string, words: string][] = [
        ["#/balances?archived=1", name],
        [`#/balances/${id}`, "Sorry"],
        [`#/balances/${id}?do=credit`, "What it does is said here once there is an amount."],
        [`#/balances/${id}/grants`, "Goodwill"],
        [`#/balances/${id}/holds?state=all`, "Ends"],
        [`#/balances/${id}/statement?period=all`, "Closing balance"],
        [`#/balances/${id}/edit`, "Another meter or price begins counting anew"],
        ["#/customers/acme/balances", name],
        ["#/customers/acme/simulator", "Balances that pay for usage"],
      ];
      for (const [address, words] of shows) {
        await page.goto(`${weir.address}/${address}`);
        await page.getByText(words).first().waitFor();
        await expect.poll(() => page.locator("[aria-busy=true]").count()).toBe(0);
        await expectAccessible(page);
      }
      expect(complaints).toEqual([]);
      await close();
    });
  }

  for (const [locale, table] of Object.entries({
    "en-US": { wrong: ["1,5", "1.000,50"], said: "Write it like 1.5 or 1,000.", right: "1,000.5", decimal: "." },
    "de-DE": { wrong: ["1.000"], said: "1.000 can be read in two ways. Write 1000 or 1.", right: "1.000,5", decimal: "," },
  })) {
    it(`book nothing that is not written as a number is in ${locale}`, async () => {
      const id = await make(`Written ${locale}`);
      const { page, complaints, close } = await weir.open(`#/balances/${id}`, { locale });
      await page.getByRole("button", { name: "Credit", exact: true }).click();
      const credit = page.getByRole("dialog", { name: /^Credit/ });
      const amount = credit.getByLabel("Amount");
      await credit.getByRole("button", { name: "Credit", exact: true }).click();
      await credit.getByText("Enter a number above 0.").waitFor();
      await amount.fill(`12${table.decimal}3456789012`);
      await amount.press("Enter");
      await credit.getByText("At most 9 digits after the decimal mark.").waitFor();
      for (const wrong of table.wrong) {
        await amount.fill(wrong);
        await amount.press("Enter");
        await credit.getByText(table.said).waitFor();
        expect(await amount.getAttribute("aria-invalid")).toBe("true");
      }
      await expectAccessible(page);
      expect(await stands(id)).toBe("0");
      await amount.fill(table.right);
      await amount.press("Enter");
      await credit.waitFor({ state: "detached" });
      expect(await stands(id)).toBe("1000.5");
      expect(complaints).toEqual([]);
      await close();
    });
  }

  it("are on the customer's page, found by the palette, and explain why a call is refused", async () => {
    await weir.api("POST", "/customers", { externalId: "poor" });
    const id = (await weir.api("POST", "/balances", { customerId: "poor", name: "Purse", initialBalance: "1", metered: { meterId: meter, amount: "1", per: 1 } })).id as string;
    const { page, complaints, close } = await weir.open("#/customers/poor/balances");
    await page.getByRole("row", { name: /Purse/ }).waitFor();
    expect(await page.getByRole("columnheader", { name: "Customer" }).count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Actions: Purse" }).click();
    await page.getByRole("menuitem", { name: "Debit…" }).click();
    await page.getByRole("dialog", { name: "Debit Purse of poor" }).waitFor();
    await page.keyboard.press("Escape");

    await weir.api("POST", "/track", { customerId: "poor", eventType: "call", values: { tokens: "5" } }).then(
      () => expect.unreachable(),
      (refused: Error) => expect(refused.message).toContain("429"),
    );
    await page.goto(`${weir.address}/#/customers/poor/refusals`);
    await page.getByRole("row", { name: /call.*Purse.*1 of 5 available/ }).click();
    const drawer = page.getByRole("dialog", { name: "Refused: call" });
    await drawer.getByText("Purse would have had to pay 5, and 1 was available.").waitFor();
    await expectAccessible(page);
    await drawer.getByRole("link", { name: "Explain" }).click();
    await page.getByText("This call would be refused").waitFor();
    await page.getByText(/would have to pay 5 for 5 of Tokens, but it has 1 available/).waitFor();
    await expectAccessible(page);

    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Command palette" }).getByRole("combobox").fill("Purse");
    await page.getByRole("option", { name: /Purse/ }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).hash).toBe(`#/balances/${id}`);
    expect(complaints).toEqual([]);
    await close();
  });
});
