import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("alerts", () => {
  let weir: Weir;
  let limit: string;
  beforeAll(async () => {
    weir = await Weir.start();
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    const new_ = { name: "Daily tokens", meterId: meter.id, limitValue: "1000", period: "day", enforcement: "soft", alertThresholds: [80, 100] };
    limit = (await weir.api("POST", "/limits", new_)).id as string;
  });
  afterAll(() => weir?.stop());

  const use = (customerId: string, tokens: string) =>
    weir.api("POST", "/track", { customerId, eventType: "llm.call", values: { tokens } });
  const openAlerts = async () => (await weir.api("GET", "/status")).openAlerts as number;

  it("say how they come about while there are none, and light up as a threshold is crossed", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    await use("acme", "100");
    // Keys are heard once the console stands.
    const nav = page.getByRole("navigation", { name: "Main" });
    await nav.getByRole("link", { name: "Alerts", exact: true }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
    await page.getByText("No open alerts").waitFor();
    await page.getByText(/crosses a threshold of a limit/).waitFor();
    await expectAccessible(page);

    await use("acme", "725.5");
    await page.getByRole("row", { name: /acme.*Daily tokens.*80%.*82\.5%.*825\.5 of 1,000\stokens.*Open/ }).waitFor();
    await nav.getByRole("link", { name: "Alerts 1 open" }).waitFor();
    // Said once: more use below the next threshold says nothing.
    await use("acme", "10");
    await use("acme", "170");
    await page.getByRole("row", { name: /acme.*100%.*100\.5%.*1,005\.5 of 1,000/ }).waitFor();
    await page.getByText("2 alerts", { exact: true }).waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are acknowledged one by one by key, the focus going on to the next", async () => {
    for (const customer of ["b", "c", "d"]) await use(customer, "900");
    const { page, complaints, close } = await weir.open("#/alerts", { theme: "dark" });
    await page.getByText("5 alerts", { exact: true }).waitFor();
    await page.locator("[role=row][data-index='1']").focus();
    expect(await page.locator("[role=row]:focus").innerText()).toMatch(/\sc\s/);
    await page.keyboard.press("a");
    await page.getByText("4 alerts", { exact: true }).waitFor();
    await expect.poll(() => page.locator("[role=row]:focus").innerText()).toMatch(/\sb\s/);
    await page.getByText("Acknowledged: c crossed 80% of Daily tokens.").waitFor();
    // A new one comes in above and takes nothing away.
    await use("e", "850");
    await page.getByText("5 alerts", { exact: true }).waitFor();
    expect(await page.locator("[role=row]:focus").innerText()).toMatch(/\sb\s/);
    expect(await openAlerts()).toBe(5);

    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog", { name: "b crossed 80% of Daily tokens" });
    await drawer.waitFor();
    expect(new URL(page.url()).hash).toMatch(/^#\/alerts\?alert=/);
    await drawer.getByText("90%").first().waitFor();
    await expectAccessible(page);
    await page.keyboard.press("a");
    await drawer.getByText("Acknowledged", { exact: true }).first().waitFor();
    await drawer.getByText("by journeys").waitFor();
    await expectAccessible(page);
    await drawer.getByRole("link", { name: "Go to the customer’s standing" }).click();
    await page.getByRole("heading", { level: 1, name: "b" }).waitFor();
    await page.getByRole("gridcell", { name: /^900 of 1,000\stokens$/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("are filtered by state, customer and limit in the address, and saved as CSV", async () => {
    const { page, complaints, close } = await weir.open("#/alerts");
    await page.getByText("4 alerts", { exact: true }).waitFor();
    await page.keyboard.press("2");
    await page.getByText("2 alerts", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/alerts?state=acknowledged");
    await expectAccessible(page);
    await page.getByRole("link", { name: /^Resolved/ }).click();
    await page.getByText("No resolved alerts").waitFor();
    await page.keyboard.press("4");
    await page.getByText("6 alerts", { exact: true }).waitFor();
    await page.getByRole("combobox", { name: "Customer" }).fill("acme");
    await page.getByRole("option", { name: /acme/ }).click();
    await page.getByText("2 alerts", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/alerts?state=all&customer=acme");
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download Alerts as CSV" }).click();
    const lines = (await readFile(await (await downloading).path(), "utf8")).trim().split("\r\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain("Crossed,Customer,About,Threshold,Share,As it stood,Window ends,State");
    expect(lines[1]).toMatch(/,acme,Daily tokens,100,100\.55,1005\.5,/);

    await page.getByRole("combobox", { name: "Limit" }).fill("Daily");
    await page.getByRole("option", { name: /Daily tokens/ }).click();
    await page.getByText("2 alerts", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toContain(`limit=${limit}`);
    await page.goto(`${weir.address}/#/alerts?customer=c`);
    await page.getByText("No alert matches").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).last().click();
    await page.getByText("4 alerts", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("are on the customer's page and on the overview", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    const figure = page.locator("dl > div").filter({ hasText: "Open alerts" }).locator("dd").first();
    await expect.poll(() => figure.innerText()).toBe("4");
    const newest = page.getByRole("grid", { name: "Newest alerts" });
    await newest.getByRole("link", { name: "acme" }).first().waitFor();
    await expectAccessible(page);
    await newest.getByRole("row", { name: /acme.*100%/ }).click();
    await page.getByRole("dialog", { name: "acme crossed 100% of Daily tokens" }).waitFor();
    await page.keyboard.press("Escape");
    await page.goto(`${weir.address}/#/customers/acme/alerts`);
    await page.getByText("2 alerts", { exact: true }).waitFor();
    expect(await page.getByRole("columnheader", { name: "Customer" }).count()).toBe(0);
    await expectAccessible(page);
    await weir.api("POST", "/customers", { externalId: "calm" });
    await page.goto(`${weir.address}/#/customers/calm/alerts`);
    await page.getByText("This customer has crossed no threshold").waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are acknowledged together, those that were seen and no later ones", async () => {
    const { page, complaints, close } = await weir.open("#/alerts?customer=acme");
    await page.getByText("2 alerts", { exact: true }).waitFor();
    await page.keyboard.press("Shift+A");
    const confirm = page.getByRole("alertdialog", { name: "Acknowledge 2 alerts?" });
    await confirm.getByText(/Every open alert of acme, up to the newest one shown/).waitFor();
    await expectAccessible(page);
    await confirm.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("Acknowledged 2 alerts.").waitFor();
    expect(await openAlerts()).toBe(2);

    await page.goto(`${weir.address}/#/alerts`);
    await page.getByText("2 alerts", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Acknowledge all shown" }).click();
    const all = page.getByRole("alertdialog", { name: "Acknowledge 2 alerts?" });
    await all.waitFor();
    await use("late", "999");
    await page.getByText("3 alerts", { exact: true }).waitFor();
    await all.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("row", { name: /late/ }).waitFor();
    await page.getByText("1 alert", { exact: true }).waitFor();
    expect(await openAlerts()).toBe(1);
    await page.setViewportSize({ width: 640, height: 400 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
