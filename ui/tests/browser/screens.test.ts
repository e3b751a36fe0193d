import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("every screen", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/sample", {});
    await weir.api("POST", "/customers", { externalId: "quiet" });
  });
  afterAll(() => weir?.stop());

  const screens: [address: string, shows: string][] = [
    ["#/overview", "Closest to their limits"],
    ["#/overview?by=customer_id", "azure-conv"],
    ["#/customers", "azure-code"],
    ["#/customers/azure-code", "Details"],
    ["#/customers/azure-code/usage", "By meter"],
    ["#/customers/azure-code/events", "llm.completion"],
    ["#/customers/azure-code/refusals", "No call of this customer was refused"],
    ["#/customers/azure-code/simulator", "Limits that have a say"],
    ["#/customers/azure-code/simulator?ask=call&type=x&v.tokens=90000000&d.model=m", "This call would be refused"],
    ["#/customers/nobody/simulator", "There is no customer “nobody” yet"],
    ["#/customers/azure-code?raise=any", "What it does is said here once there is a value."],
    ["#/customers/azure-code?reset=any", "This cannot be undone."],
    ["#/customers/azure-code/alerts", "Credits"],
    ["#/customers/azure-conv/refusals", "Token allowance"],
    ["#/customers/quiet/alerts", "Thresholds are set on each limit"],
    ["#/alerts", "azure-conv"],
    ["#/alerts?state=resolved", "No resolved alerts"],
    ["#/alerts?alert=alr_nothing", "There is no such alert"],
    ["#/customers/nobody", "There is no customer “nobody”"],
    ["#/events", "llm.completion"],
    ["#/events/import", "Import"],
    ["#/meters", "total_tokens"],
    ["#/meters/new", "New meter"],
    ["#/limits", "Token allowance"],
    ["#/limits/rates", "No rate limits yet"],
    ["#/limits/rates/new", "A tracked call beyond is refused."],
    ["#/limits/new", "What it does now"],
    ["#/limits/file", "See first what changes"],
    ["#/balances", "azure-code"],
    ["#/balances?query=nothing+like+it", "No balance matches"],
    ["#/balances/new", "Pay for usage of a meter"],
    ["#/balances/bal_nothing", "There is no such balance"],
    ["#/customers/azure-code/balances", "Credits"],
    ["#/customers/quiet/balances", "This customer has no balance"],
    ["#/audit", "Created API key"],
    ["#/audit?fact=aud_2", "aggregation"],
    ["#/audit?query=nothing+like+it", "No change matches"],
    ["#/customers/azure-code/audit", "Created limit"],
    ["#/webhooks", "No webhooks yet"],
    ["#/webhooks/new", "What it is told"],
    ["#/webhooks/whk_nothing", "There is no such webhook"],
    ["#/access", "journeys"],
    ["#/access/tokens", "No client tokens"],
    ["#/access/snippets", "Paste it into a shell."],
    ["#/settings", "Open API access"],
    ["#/nowhere", "There is no such screen"],
  ];

  it.each(screens)("%s is accessible in light and in dark", async (address, shows) => {
    const { page, complaints, close } = await weir.open(address);
    await page.getByText(shows).first().waitFor();
    await expect.poll(() => page.locator("[aria-busy=true]").count()).toBe(0);
    await expectAccessible(page);
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(paper).not.toBe(light);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is reached by the palette and by its key, and back leads back", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    await page.getByText("Closest to their limits").waitFor();
    await page.keyboard.press("Control+k");
    const finder = page.getByRole("dialog", { name: "Command palette" }).getByRole("combobox");
    await finder.waitFor();
    await page.keyboard.type("azure-co");
    // Limits of that customer, found by fewer letters, only end with its name.
    await page.getByRole("option", { name: /^azure-code/ }).waitFor();
    await expectAccessible(page);
    await finder.fill("azure-code");
    await expect.poll(() => page.getByRole("option", { selected: true }).innerText()).toContain("azure-code");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "azure-code" }).waitFor();
    // Reading goes on from the new screen's heading.
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");

    // Keys are heard once the screen stands.
    await page.getByText("Details").first().waitFor();
    await expect.poll(() => page.locator("[aria-busy=true]").count()).toBe(0);
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.getByRole("heading", { level: 1, name: "Customers" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "azure-code" }).waitFor();

    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await close();
  });

  it("reads a chart by the arrow keys, and shows the same as a table", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    const chart = page.getByRole("slider");
    await page.locator("[role=slider][aria-valuetext*='60 points']").waitFor();
    await chart.focus();
    await page.keyboard.press("ArrowRight");
    const first = await chart.getAttribute("aria-valuetext");
    expect(first).toContain("Nov 16, 2023, 18:15");
    await page.keyboard.press("End");
    expect(await chart.getAttribute("aria-valuetext")).toContain("Nov 16, 2023, 19:14");
    await page.getByRole("button", { name: "Show as table" }).click();
    const value = /: ([\d,]+)/.exec(first!.slice(first!.indexOf("18:15") + 5))![1]!;
    await page.getByRole("row", { name: new RegExp(`18:15.*${value}`) }).waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("zooms by dragging, says what is shown, and back undoes it", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    await page.locator("[role=slider][aria-valuetext*='60 points']").waitFor();
    const box = (await page.locator(".u-over").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.getByText("Nov 16, 2023, 18:30 – 18:46").or(page.getByText("Nov 16, 2023, 18:30 – 18:45")).waitFor();
    await page.goBack();
    await page.getByText("Nov 16, 2023, 18:15 – 19:15").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is readable at 200 %", async () => {
    const { page, complaints, close } = await weir.open("#/customers/azure-code");
    await page.setViewportSize({ width: 640, height: 400 });
    await page.getByText("Details").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
