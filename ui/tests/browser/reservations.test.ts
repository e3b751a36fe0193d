import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("reservations", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    await weir.api("POST", "/limits", { name: "Daily tokens", meterId: meter.id, limitValue: "100", period: "day" });
    await weir.api("POST", "/track", { customerId: "acme", eventType: "llm.call", values: { tokens: "40" } });
  });
  afterAll(() => weir?.stop());

  const reserve = async (tokens: string, ttlSeconds: number) =>
    (await weir.api("POST", "/reservations", { customerId: "acme", eventType: "llm.call", values: { tokens }, dimensions: { model: "gpt-4" }, ttlSeconds }))
      .id as string;

  it("appear as they are made, beside what is used, and leave when released", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme", { theme: "dark" });
    await page.getByRole("gridcell", { name: /^40 of 100\stokens$/ }).waitFor();
    expect(await page.getByRole("heading", { name: "Reservations" }).count()).toBe(0);

    const first = await reserve("25.5", 3_600);
    await page.getByText("1 reservation live").waitFor();
    await page.getByRole("gridcell", { name: /^40 of 100\stokens\s*\+ 25\.5 held$/ }).waitFor();
    expect(await page.getByRole("meter", { name: "Daily tokens" }).getAttribute("aria-valuetext")).toBe("40% used, 25.5% held");
    const row = page.getByRole("row", { name: /llm\.call.*model = gpt-4.*tokens 25\.5.*in (1h 0m|59m)/ });
    await row.waitFor();
    await expectAccessible(page);
    await page.setViewportSize({ width: 640, height: 400 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
    await page.setViewportSize({ width: 1280, height: 800 });

    await reserve("10", 3_600);
    await page.getByText("2 reservations live").waitFor();
    await page.getByRole("button", { name: "Release llm.call, tokens 25.5" }).click();
    const confirm = page.getByRole("alertdialog", { name: "Release what llm.call holds?" });
    await confirm.getByText(/^tokens 25\.5 is free again at once\./).waitFor();
    await expectAccessible(page);
    await confirm.getByRole("button", { name: "Release" }).click();
    await page.getByText("1 reservation live").waitFor();
    await page.getByRole("gridcell", { name: /^40 of 100\stokens\s*\+ 10 held$/ }).waitFor();
    expect((await weir.api("GET", `/reservations/${first}`)).state).toBe("released");
    expect(complaints).toEqual([]);
    await close();
  });

  it("leave by themselves when their time is over, and become usage when committed", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme");
    await page.getByText("1 reservation live").waitFor();
    const work = await reserve("20", 3_600);
    await reserve("5", 2);
    await page.getByText("3 reservations live").waitFor();
    await page.getByText("2 reservations live").waitFor();
    await weir.api("POST", `/reservations/${work}/commit`, { values: { tokens: "12.5" } });
    await page.getByText("1 reservation live").waitFor();
    await page.getByRole("gridcell", { name: /^52\.5 of 100\stokens\s*\+ 10 held$/ }).waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("come page by page where there are many, and say so", async () => {
    for (let i = 0; i < 25; i++) await reserve("0.5", 3_600);
    const { page, complaints, close } = await weir.open("#/customers/acme");
    await page.getByText("20 and more live").waitFor();
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByText("26 reservations live").waitFor();
    await page.getByRole("gridcell", { name: /^52\.5 of 100\stokens\s*\+ 22\.5 held$/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
