import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

/** The first words of each row in view, from top to bottom. */
async function rows(page: Page): Promise<string[]> {
  const cells = page.locator("[role=row][data-index] [role=gridcell]:first-child");
  const found = await cells.evaluateAll((all) =>
    all.map((cell) => ({ at: Number((cell.parentElement as HTMLElement).dataset.index), text: (cell as HTMLElement).innerText.split("\n")[0]! })),
  );
  return found.sort((a, b) => a.at - b.at).map((each) => each.text);
}

const header = (page: Page, name: string) => page.getByRole("columnheader", { name, exact: true });

describe("tables", () => {
  let weir: Weir;
  const use = (customerId: string, tokens: string) => weir.api("POST", "/track", { customerId, eventType: "llm.call", values: { tokens } });

  beforeAll(async () => {
    weir = await Weir.start();
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    for (const [name, customerId, limitValue] of [
      ["beta", "b", "100"],
      ["Alpha", "a", "100"],
      ["gamma", "c", "100"],
      ["unused", undefined, "5000"],
    ]) {
      await weir.api("POST", "/limits", { name, meterId: meter!.id, customerId, limitValue, period: "day", enforcement: "soft", alertThresholds: [50] });
    }
    await use("a", "20");
    await use("b", "40");
    await use("c", "30");
  });
  afterAll(() => weir?.stop());

  it("sort limits by name and by who is closest, keep that in the address, and go on sorting as usage comes in", async () => {
    const { page, complaints, close } = await weir.open("#/limits");
    await expect.poll(() => rows(page)).toEqual(["unused", "gamma", "Alpha", "beta"]);
    await header(page, "Name").getByRole("button").click();
    await expect.poll(() => rows(page)).toEqual(["Alpha", "beta", "gamma", "unused"]);
    expect(await header(page, "Name").getAttribute("aria-sort")).toBe("ascending");
    expect(new URL(page.url()).hash).toBe("#/limits?sort=name");

    await header(page, "Closest customer").getByRole("button").click();
    await expect.poll(() => rows(page)).toEqual(["beta", "gamma", "Alpha", "unused"]);
    expect(await header(page, "Closest customer").getAttribute("aria-sort")).toBe("descending");
    expect(await header(page, "Name").getAttribute("aria-sort")).toBe("none");
    await expectAccessible(page);
    await use("a", "25");
    await expect.poll(() => rows(page)).toEqual(["Alpha", "beta", "gamma", "unused"]);
    await page.reload();
    await expect.poll(() => rows(page)).toEqual(["Alpha", "beta", "gamma", "unused"]);

    // All rows are at hand, so that others can be sorted by as well; then the list is as it was.
    await header(page, "At most").getByRole("button").click();
    await expect.poll(async () => (await rows(page))[0]).toBe("unused");
    expect(await header(page, "Closest customer").getAttribute("aria-sort")).toBe("none");
    await header(page, "Closest customer").getByRole("button").click();
    await expect.poll(() => rows(page)).toEqual(["Alpha", "beta", "gamma", "unused"]);
    await header(page, "Closest customer").getByRole("button").click();
    await expect.poll(() => rows(page)).toEqual(["unused", "gamma", "Alpha", "beta"]);
    expect(new URL(page.url()).hash).toBe("#/limits");
    expect(complaints).toEqual([]);
    await close();
  });

  it("read the audit from its beginning, with what is new at the end", async () => {
    const { page, complaints, close } = await weir.open("#/audit");
    const first = page.locator("[role=row][data-index='0']");
    await first.getByText("Created limit").waitFor();
    expect(await header(page, "When").getAttribute("aria-sort")).toBe("descending");
    await header(page, "When").getByRole("button").click();
    await first.getByText("Created API key").waitFor();
    expect(await header(page, "When").getAttribute("aria-sort")).toBe("ascending");
    expect(new URL(page.url()).hash).toBe("#/audit?sort=oldest");
    await expectAccessible(page);

    await weir.api("POST", "/customers", { externalId: "late", name: "Late" });
    const last = page.locator("[role=row][data-index]").last();
    await last.getByText("Created customer").waitFor();
    await last.click();
    const drawer = page.getByRole("dialog");
    await drawer.getByRole("heading", { name: "Created customer" }).waitFor();
    expect(await drawer.getByRole("button", { name: "Newer change" }).isDisabled()).toBe(true);
    await drawer.getByRole("button", { name: "Older change" }).click();
    await drawer.getByRole("heading", { name: "Created limit" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await drawer.getByRole("heading", { name: "Created customer" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("hold more of a log than one page, oldest first, and find what comes in at its end", async () => {
    for (let i = 0; i < 120; i++) await weir.api("PUT", "/customers/late", { name: `Late ${i}` });
    const { page, complaints, close } = await weir.open("#/audit?sort=oldest");
    await page.locator("[role=row][data-index='0']").focus();
    await page.keyboard.press("End");
    await page.getByText(/^\d+ changes$/).waitFor();
    await page.keyboard.press("Home");
    await page.locator("[role=row][data-index='0']:focus").waitFor();
    const before = Number(/^\d+/.exec(await page.getByText(/^\d+ changes$/).innerText())![0]);
    await weir.api("PUT", "/customers/late", { name: "The last" });
    await page.getByText(`${before + 1} changes`, { exact: true }).waitFor();
    await page.keyboard.press("End");
    await page.locator("[role=row]:focus").getByText("The last").waitFor();
    // Sorting begins at the top again.
    await header(page, "When").getByRole("button").click();
    await page.locator("[role=row][data-index='0']").getByText("The last").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("acknowledge all alerts shown, whichever comes first", async () => {
    for (const customer of ["a", "b"]) await use(customer, "60");
    const { page, complaints, close } = await weir.open("#/alerts?sort=oldest");
    const customers = () =>
      page.locator("[role=row][data-index] [role=gridcell]:nth-child(2)").evaluateAll((all) => all.map((cell) => (cell as HTMLElement).innerText));
    await expect.poll(customers).toEqual(["a", "b"]);
    await use("c", "60");
    await expect.poll(customers).toEqual(["a", "b", "c"]);
    await page.getByRole("link", { name: /^All/ }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe("#/alerts?state=all&sort=oldest");
    await page.getByRole("link", { name: /^Open/ }).click();
    await page.getByRole("button", { name: "Acknowledge all shown" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("No open alerts").waitFor();
    expect((await weir.api("GET", "/status")).openAlerts).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });
});
