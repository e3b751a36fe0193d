import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Weir } from "./weir";

describe("the audit", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/customers", { externalId: "acme", name: "Acme" });
    const meter = await weir.api("POST", "/meters", { name: "Calls", aggregation: "count", field: "*" });
    const limit = await weir.api("POST", "/limits", { name: "Daily", meterId: meter.id, limitValue: "10", period: "day", customerId: "acme" });
    await weir.api("PUT", `/limits/${limit.id as string}`, { limitValue: "123456789012345678.123456789" });
  });
  afterAll(() => weir?.stop());

  it("shows a change as it happens, finds it, and says what differed to the last digit", async () => {
    const { page, complaints, close } = await weir.open("#/overview");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByText("5 changes").waitFor();
    await weir.api("PUT", "/customers/acme", { email: "new@acme.example" });
    await page.getByText("6 changes").waitFor();

    await page.keyboard.press("/");
    await page.keyboard.type("DAILY");
    await page.getByText("2 changes").waitFor();
    expect(page.url()).toContain("query=DAILY");
    await page.getByRole("row", { name: /Changed limit/ }).click();
    const drawer = page.getByRole("dialog", { name: "Changed limit" });
    const row = drawer.getByRole("row").filter({ hasText: "limitValue" });
    await row.waitFor();
    expect(await row.getByRole("cell").allInnerTexts()).toEqual(["10", "123456789012345678.123456789"]);
    expect(await drawer.getByRole("row").count(), "the head, and the one field that differs").toBe(2);
    await page.keyboard.press("ArrowDown");
    await page.getByRole("dialog", { name: "Created limit" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: /CSV/ }).click();
    const file = await readFile((await (await download).path())!, "utf8");
    expect(file.trim().split("\n")).toHaveLength(3);
    expect(file).toContain("limits.update");

    await page.getByRole("link", { name: "Daily" }).first().click();
    await page.getByRole("heading", { level: 1, name: "Daily" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
