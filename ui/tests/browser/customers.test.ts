import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, grouped, sampleSums, Weir } from "./weir";

describe("customers", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/sample", {});
    for (let i = 0; i < 130; i++) {
      await weir.api("POST", "/customers", { externalId: `many-${String(i).padStart(3, "0")}`, name: `Company ${i}` });
    }
  });
  afterAll(() => weir?.stop());

  it("are found as one types, walked with the arrows and opened with Enter", async () => {
    const { page, complaints, close } = await weir.open("#/customers");
    await page.getByRole("row", { name: /many-129/ }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("azure");
    await page.getByText("2 customers", { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/customers?query=azure");

    await page.getByRole("row", { name: /azure-conv/ }).waitFor();
    const first = page.locator("[role=row][data-index='0']");
    while (!(await first.evaluate((row) => row === document.activeElement))) await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    const name = await page.locator("[role=row][data-index='1']").innerText();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: name.split("\n")[0]!.trim() }).waitFor();
    await page.goBack();
    await page.getByText("2 customers", { exact: true }).waitFor();
    expect(await page.getByLabel("Search id, name, email, metadata").inputValue()).toBe("azure");
    expect(complaints).toEqual([]);
    await close();
  });

  it("come page by page and stand where they stood when one comes back", async () => {
    const { page, complaints, close } = await weir.open("#/customers?sort=externalId");
    await page.getByRole("row", { name: /azure-code/ }).waitFor();
    await page.locator("[role=row][data-index='0']").focus();
    // The second page is read on the way down.
    await expect
      .poll(async () => {
        await page.keyboard.press("End");
        return page.locator("[role=row]:focus").innerText();
      })
      .toContain("many-129");
    const scrolled = () => page.locator(".scroller").evaluate((element) => element.scrollTop);
    const before = await scrolled();
    expect(before).toBeGreaterThan(1_000);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "many-129" }).waitFor();
    await page.goBack();
    await page.getByRole("row", { name: /many-129/ }).waitFor();
    expect(await scrolled()).toBe(before);
    expect(complaints).toEqual([]);
    await close();
  });

  it("tell when a limit runs out at the present rate, and from what that is taken", async () => {
    const meter = await weir.api("POST", "/meters", { name: "Credits", aggregation: "sum", field: "values.credits", unit: "credits" });
    await weir.api("POST", "/limits", { name: "Credit", meterId: meter.id, limitValue: "100", period: "all_time", customerId: "ahead" });
    const day = 24 * 3_600_000;
    const began = new Date(Date.now() - day);
    await weir.api("POST", "/events/record", { customerId: "ahead", eventType: "call", values: { credits: "50" }, timestamp: began.toISOString() });
    const { page, complaints, close } = await weir.open("#/customers/ahead");
    const row = page.getByRole("row", { name: /Credit/ });
    const at = Date.parse((await row.locator("time[datetime]").first().getAttribute("datetime"))!);
    expect(Math.abs(at - began.getTime() - 2 * day)).toBeLessThan(60_000);
    await row.locator("time[datetime]").first().hover();
    const more = page.getByRole("tooltip");
    await more.getByText(/^2\.08\d*\scredits per hour$/).waitFor();
    await more.getByText(/^50\scredits since /).waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("show a customer's standing, usage and events as the files add up", async () => {
    const sums = await sampleSums();
    const { page, complaints, close } = await weir.open("#/customers/azure-conv");
    await page.getByRole("gridcell", { name: new RegExp(`^${grouped(sums.conv.tokens)} of `) }).waitFor();
    await page.getByRole("gridcell", { name: new RegExp(`^${grouped(sums.conv.rows)} of `) }).waitFor();

    await page.keyboard.press("2");
    await page.locator(`[role=slider][aria-valuetext*="${grouped(sums.conv.tokens)}"]`).waitFor();
    await page.getByRole("row", { name: new RegExp(`total_tokens.*${grouped(sums.conv.tokens)}`) }).waitFor();

    await page.keyboard.press("4");
    await page.getByRole("row", { name: /llm\.completion/ }).first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("are made with the server's own word at each field", async () => {
    const { page, complaints, close } = await weir.open("#/customers");
    await page.getByRole("row", { name: /many-129/ }).waitFor();
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog", { name: "New customer" });
    await dialog.waitFor();
    // The focus is in the first field: typing goes there.
    await page.keyboard.type("azure-code");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("Id").fill("brand-new");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "brand-new" }).waitFor();
    await page.getByText("No limit").or(page.getByText("limits", { exact: false })).first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("are archived after a word of warning, and brought back by Undo", async () => {
    const { page, complaints, close } = await weir.open("#/customers/many-000");
    await page.getByRole("button", { name: "Actions", exact: true }).click();
    await page.getByRole("menuitem", { name: "Archive…" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Archive many-000?" });
    await dialog.getByText("You can restore it at any time.").waitFor();
    await dialog.getByRole("button", { name: "Archive" }).click();
    await page.getByText("This customer is archived").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("This customer is archived").waitFor({ state: "detached" });
    expect((await weir.api("GET", "/customers/many-000")).archivedAt).toBeNull();
    expect(complaints).toEqual([]);
    await close();
  });

  it("change before one's eyes without taking the focus", async () => {
    const { page, complaints, close } = await weir.open("#/customers?query=many-00");
    await page.getByRole("row", { name: /many-001/ }).waitFor();
    await page.locator("[role=row][data-index='2']").focus();
    const focused = () => page.locator("[role=row]:focus").innerText();
    const before = (await focused()).split("\n")[0];
    await weir.api("POST", "/customers", { externalId: "many-00-newest" });
    await page.getByRole("row", { name: /many-00-newest/ }).waitFor();
    expect((await focused()).split("\n")[0]).toBe(before);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are saved as CSV, every row that the filter answers", async () => {
    const { page, complaints, close } = await weir.open("#/customers?query=many-&sort=externalId");
    await page.getByRole("row", { name: /many-000/ }).waitFor();
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download Customers as CSV" }).click();
    const text = await readFile(await (await downloading).path(), "utf8");
    const lines = text.trim().split("\r\n");
    expect(lines[0]).toContain("Id,Name");
    expect(lines.slice(1).filter((line) => /^many-\d{3},Company \d+/.test(line))).toHaveLength(130);
    expect(complaints).toEqual([]);
    await close();
  });
});
