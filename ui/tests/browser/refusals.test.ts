import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("refusals", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/customers", { externalId: "acme", name: "Acme" });
    await weir.api("POST", "/customers", { externalId: "calm" });
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    await weir.api("POST", "/limits", { name: "Daily tokens", meterId: meter.id, limitValue: "1000", period: "day" });
    expect(await track("acme", { tokens: "990.5" })).toBe(201);
  });
  afterAll(() => weir?.stop());

  /** The answer's status: 429 is what these journeys are about. */
  async function track(customerId: string, values: Record<string, string>, dimensions: Record<string, string> = {}): Promise<number> {
    const response = await fetch(`${weir.address}/v1/track`, {
      method: "POST",
      headers: { Authorization: `Bearer ${weir.key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ customerId, eventType: "llm.call", values, dimensions }),
    });
    await response.body?.cancel();
    return response.status;
  }

  it("says from anywhere, in two steps, why a customer was refused", async () => {
    expect(await track("acme", { tokens: "20.25" }, { model: "gpt-4" })).toBe(429);
    const { page, complaints, close } = await weir.open("#/meters");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("acme");
    await page.keyboard.press("Enter");
    await page.getByText(/Daily tokens: used 990\.5 of 1,000\stokens per day/).waitFor();
    await expectAccessible(page);

    await page.getByRole("link", { name: "Show why" }).click();
    const drawer = page.getByRole("dialog", { name: "Refused: llm.call" });
    await drawer.getByText(/With this call, Daily tokens would have gone beyond 1,000\stokens per day\./).waitFor();
    const told = async (term: string) => (await drawer.locator("dl > div").filter({ has: page.locator("dt", { hasText: term }) }).locator("dd").first().innerText()).replace(/\s/g, " ").trim();
    expect(await told("Used")).toBe("990.5 tokens");
    expect(await told("Remaining")).toBe("9.5 tokens");
    expect(await told("tokens")).toBe("20.25");
    expect(await told("model")).toBe("gpt-4");
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByText("1 refusal", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("shows a new one on top of the list as it happens, while an older one goes on being read", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme/refusals", { theme: "dark" });
    const rows = page.getByRole("row", { name: /llm\.call/ });
    await rows.first().click();
    const drawer = page.getByRole("dialog", { name: "Refused: llm.call" });
    await drawer.getByText("20.25").first().waitFor();
    const newer = drawer.getByRole("button", { name: "Newer refusal" });
    expect(await newer.isDisabled()).toBe(true);
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.tagName);
    const before = await focused();
    expect(await track("acme", { tokens: "31" })).toBe(429);
    await expect.poll(() => newer.isEnabled()).toBe(true);
    expect(await focused()).toBe(before);
    expect(await drawer.getByText("20.25").count()).toBeGreaterThan(0);
    await page.keyboard.press("ArrowUp");
    await drawer.getByText("31", { exact: true }).first().waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect.poll(() => rows.count()).toBe(2);
    await rows.first().getByRole("link", { name: "Daily tokens" }).click();
    await page.getByRole("heading", { level: 1, name: "Daily tokens" }).waitFor();

    await page.goto(`${weir.address}/#/customers/calm/refusals`);
    await page.getByText("No call of this customer was refused").waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("counts today's on the overview, and stops counting where that says enough", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    const figure = page.locator("dl > div").filter({ hasText: "Refusals today" }).locator("dd").first();
    await expect.poll(() => figure.innerText()).toBe("2");
    const newest = page.getByRole("grid", { name: "Newest refusals" });
    await newest.getByRole("link", { name: "acme" }).first().waitFor();
    expect(await track("acme", { tokens: "32" })).toBe(429);
    await expect.poll(() => figure.innerText()).toBe("3");
    await newest.getByText("tokens 32").waitFor();
    await expectAccessible(page);
    for (let i = 0; i < 100; i++) expect(await track("acme", { tokens: "33" })).toBe(429);
    await expect.poll(() => figure.innerText()).toBe("100+");
    expect(await newest.getByRole("row", { name: /llm\.call/ }).count()).toBe(8);
    expect(complaints).toEqual([]);
    await close();
  });

  it("draws them below usage along the same axis, and as a table", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme/usage?range=24h", { theme: "dark" });
    const chart = page.getByRole("slider", { name: "Refusals" });
    await chart.waitFor();
    await expect.poll(() => chart.getAttribute("aria-valuetext")).toMatch(/in all 103\srefused/);
    // The one of them may be drawn before the other.
    const axes = () => page.locator(".u-over").evaluateAll((areas) => areas.map((area) => area.getBoundingClientRect()).map(({ left, width }) => [left, width]));
    await expect.poll(async () => (await axes()).length).toBe(2);
    await expect.poll(async () => new Set((await axes()).map(String)).size).toBe(1);
    await chart.focus();
    await page.keyboard.press("End");
    await expect.poll(() => chart.getAttribute("aria-valuetext")).toMatch(/: (\d+)\srefused/);
    await expectAccessible(page);
    expect(await track("acme", { tokens: "34" })).toBe(429);
    await page.keyboard.press("Escape");
    await expect.poll(() => chart.getAttribute("aria-valuetext")).toMatch(/in all 104\srefused/);

    const section = page.locator("section").filter({ has: page.getByRole("heading", { name: "Refusals" }) });
    await section.getByRole("button", { name: "Show as table" }).click();
    const table = section.getByRole("grid", { name: "Refusals" });
    await table.getByRole("columnheader", { name: "refused" }).getByRole("button").click();
    const most = Number(await table.getByRole("row").nth(1).getByRole("gridcell").last().innerText());
    expect(most).toBeGreaterThanOrEqual(52);
    await expectAccessible(page);

    await page.goto(`${weir.address}/#/customers/calm/usage`);
    await page.getByText("No call was refused in this range.").waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
