import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

const rows = (page: Page) => page.getByRole("grid", { name: "Events" }).locator("[role=row][data-index]");

describe("events", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/sample", {});
  });
  afterAll(() => weir?.stop());

  const record = (eventType: string, extra: object = {}) =>
    weir.api("POST", "/events/record", { customerId: "acme", eventType, values: { tokens: "0.1" }, ...extra });

  it("come in at the top while one watches it, and are only counted while one reads further down", async () => {
    const { page, complaints, close } = await weir.open("#/events");
    await rows(page).first().waitFor();
    await record("tail.first");
    await expect.poll(() => rows(page).first().innerText()).toContain("tail.first");

    const grid = page.getByRole("grid", { name: "Events" });
    await grid.evaluate((element) => element.scrollTo({ top: 900 }));
    await expect.poll(async () => Number(await rows(page).last().getAttribute("data-index"))).toBeGreaterThan(50);
    const seen = await grid.evaluate((element) => element.scrollTop);
    for (let i = 0; i < 3; i++) await record("tail.later");
    const newer = page.getByRole("button", { name: "3 new events" });
    await newer.waitFor();
    expect(await grid.evaluate((element) => element.scrollTop)).toBe(seen);
    await expectAccessible(page);
    await newer.click();
    await expect.poll(() => rows(page).first().innerText()).toContain("tail.later");
    await newer.waitFor({ state: "detached" });

    // Paused by its key, nothing comes in at all; going live again shows what came meanwhile.
    await page.getByRole("heading", { level: 1 }).click();
    await page.keyboard.press("t");
    await page.getByRole("button", { name: "Live", pressed: false }).waitFor();
    await record("tail.paused");
    await page.getByRole("button", { name: "1 new event" }).waitFor();
    expect(await rows(page).first().innerText()).toContain("tail.later");
    await page.keyboard.press("t");
    await expect.poll(() => rows(page).first().innerText()).toContain("tail.paused");
    expect(complaints).toEqual([]);
    await close();
  });

  it("are opened by keyboard, say what they counted on, and lead to others like them", async () => {
    const { page, complaints, close } = await weir.open("#/events?customer=azure-code");
    await rows(page).first().waitFor();
    await rows(page).first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog", { name: "llm.completion" });
    await drawer.getByText("Tokens", { exact: true }).waitFor();
    await drawer.getByText("Token allowance").waitFor();
    await expectAccessible(page);

    const first = page.url();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.url()).not.toBe(first);
    await page.keyboard.press("ArrowUp");
    await expect.poll(() => page.url()).toBe(first);

    await drawer.getByRole("button", { name: "Show only events with feature = code" }).click();
    await drawer.waitFor({ state: "detached" });
    expect(page.url()).toContain("d.feature=code");
    await page.getByRole("button", { name: "Remove the filter on feature" }).waitFor();
    // The address alone brings it back.
    await page.goto(first);
    await page.reload();
    await drawer.getByText("Token allowance").waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await close();
  });

  it("are voided for a reason, count nowhere from then on, and stay to be seen", async () => {
    const voided = { values: { tokens: "41.5" } };
    await record("void.one");
    await record("void.one", voided);
    const { page, complaints, close } = await weir.open("#/events?type=void.one");
    await expect.poll(() => rows(page).count()).toBe(2);
    await rows(page).first().click();
    const drawer = page.getByRole("dialog", { name: "void.one" });
    await drawer.getByText("Total tokens").or(drawer.getByText("total_tokens")).first().waitFor();
    await drawer.getByRole("button", { name: "Void…" }).click();
    const confirm = page.getByRole("alertdialog", { name: "Void this event?" });
    await confirm.getByText("This cannot be undone.").waitFor();
    await expectAccessible(page);
    await confirm.getByRole("textbox", { name: "Reason" }).fill("sent by mistake");
    await confirm.getByRole("button", { name: "Void the event" }).click();
    await confirm.waitFor({ state: "detached" });
    await drawer.getByText("Nothing: the event is voided.").waitFor();
    await drawer.getByText("sent by mistake").first().waitFor();
    expect(await drawer.getByRole("button", { name: "Void…" }).count()).toBe(0);
    expect(await page.getByText("new event").count()).toBe(0);
    await expectAccessible(page);

    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    await expect.poll(() => rows(page).count()).toBe(1);
    const summary = (await weir.api("GET", "/events/summary?customerId=acme")) as { types: { eventType: string; count: string | number; values: object }[] };
    expect(summary.types.find((type) => type.eventType === "void.one")).toMatchObject({ count: 1, values: { tokens: "0.1" } });

    await page.getByRole("checkbox", { name: "Show voided" }).check();
    await expect.poll(() => rows(page).count()).toBe(2);
    expect(await rows(page).first().innerText()).toContain("Voided");
    expect(await rows(page).last().innerText()).not.toContain("Voided");
    await expectAccessible(page);
    // The address keeps it.
    await page.reload();
    await page.getByRole("checkbox", { name: "Show voided", checked: true }).waitFor();
    await expect.poll(() => rows(page).count()).toBe(2);
    expect(complaints).toEqual([]);
    await close();
  });

  it("are imported from a file: mapped, shown as they would be recorded, started, left alone, and accounted for", async () => {
    const lines = ["when,who,model,in,out"];
    for (let i = 0; i < 3_000; i++) {
      const at = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString();
      lines.push(`${at},team-${i % 7},gpt-4,${i % 100},${i === 2_000 ? "much" : 5}`);
    }
    const file = { name: "usage.csv.gz", mimeType: "application/gzip", buffer: gzipSync(lines.join("\n")) };

    const { page, complaints, close } = await weir.open("#/events/import");
    await page.locator("input[type=file]").setInputFiles(file);
    await page.getByRole("heading", { name: "How its rows become events" }).waitFor();
    await page.getByText("All of these can be recorded").or(page.getByText("Choose")).first().waitFor();
    await expectAccessible(page);

    // `when` and `who` are nobody's usual names: they are chosen by hand.
    const choose = async (label: string, option: string) => {
      await page.getByLabel(label, { exact: true }).first().click();
      await page.getByRole("option", { name: option, exact: true }).click();
    };
    await choose("Customer", "who");
    await choose("Time", "when");
    const type = page.getByRole("textbox", { name: "Event type" });
    await type.fill("llm.completion");
    // One value of two columns.
    await page.getByRole("button", { name: "Add a column to the sum" }).first().click();
    await page.getByRole("menuitem", { name: "out" }).click();
    await page.getByRole("textbox", { name: "Values: Name" }).first().fill("tokens");
    await page.getByRole("button", { name: "Remove the value out" }).click();
    await page.getByText("All of these can be recorded").waitFor();
    await page.getByRole("cell", { name: "team-0" }).first().waitFor();

    // What was chosen survives leaving.
    const address = page.url();
    await page.goto(`${weir.address}/#/overview`);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.goto(address);
    await expect.poll(() => page.getByRole("textbox", { name: "Values: Name" }).first().inputValue()).toBe("tokens");

    const start = page.getByRole("button", { name: "Start the import" });
    await expect.poll(() => start.isEnabled()).toBe(true);
    await start.click();
    await page.getByRole("link", { name: "See the events" }).waitFor();
    const counts = page.locator("dl");
    await expect.poll(() => counts.innerText()).toMatch(/Recorded\s+2,999[\s\S]*Refused\s+1[\s\S]*Rows read\s+3,000/);
    await page.getByRole("row", { name: /2,002.*out/ }).waitFor();
    await expectAccessible(page);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: /Refused rows.*CSV/ }).click();
    expect((await download).suggestedFilename()).toMatch(/Refused.*\.csv$/);

    // Again: nothing is recorded twice.
    await page.getByRole("link", { name: "Import another file" }).click();
    await page.locator("input[type=file]").setInputFiles(file);
    await page.getByRole("heading", { name: "How its rows become events" }).waitFor();
    await choose("Customer", "who");
    await choose("Time", "when");
    await page.getByRole("textbox", { name: "Event type" }).fill("llm.completion");
    await page.getByRole("button", { name: "Add a column to the sum" }).first().click();
    await page.getByRole("menuitem", { name: "out" }).click();
    await page.getByRole("textbox", { name: "Values: Name" }).first().fill("tokens");
    await page.getByRole("button", { name: "Remove the value out" }).click();
    await expect.poll(() => start.isEnabled()).toBe(true);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("link", { name: "See the events" }).waitFor();
    await expect.poll(() => counts.innerText()).toMatch(/Recorded\s+0\s[\s\S]*Duplicates\s+2,999/);

    const meters = (await weir.api("GET", "/meters")) as { data: { id: string; name: string }[] };
    const tokens = meters.data.find((meter) => meter.name === "total_tokens")!;
    const answer = await weir.api("POST", `/meters/${tokens.id}/query`, { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z" });
    // 30 times 0 to 99, and 5 each, without the row that was refused (2,000 is row 0 of its hundred).
    expect(answer.value).toBe(String(30 * 4_950 + 2_999 * 5));
    expect(complaints).toEqual([]);
    await close();
  });

  it("go on from where an upload was left, with the same file only, and stop when told to", async () => {
    const lines = ["time,customer,tokens"];
    for (let i = 0; i < 60_000; i++) lines.push(`${new Date(Date.UTC(2026, 1, 1) + i * 1_000).toISOString()},left-${i % 50},${i}`);
    const buffer = Buffer.from(lines.join("\n"));
    const file = { name: "left.csv", mimeType: "text/csv", buffer };
    const made = await weir.api("POST", "/imports", { fileName: file.name, size: buffer.length });
    await weir.api("POST", `/imports/${String(made.id)}/upload`, { offset: 0, data: buffer.subarray(0, 100_000).toString("base64") });

    const { page, complaints, close } = await weir.open(`#/events/import/${String(made.id)}`);
    await page.getByText("This page was left while left.csv was being read").waitFor();
    await expectAccessible(page);
    await page.locator("input[type=file]").setInputFiles({ ...file, name: "other.csv" });
    await page.getByText("That is another file.").waitFor();
    await page.locator("input[type=file]").setInputFiles(file);
    await page.getByRole("heading", { name: "How its rows become events" }).waitFor();
    await page.getByText("All of these can be recorded").waitFor();
    const start = page.getByRole("button", { name: "Start the import" });
    await expect.poll(() => start.isEnabled()).toBe(true);
    await start.click();
    await page.getByRole("button", { name: "Cancel the import" }).click();
    const asking = page.getByRole("alertdialog");
    await asking.waitFor();
    await expectAccessible(page);
    await asking.getByRole("button", { name: "Cancel the import" }).click();
    await page.getByRole("heading", { name: "Import cancelled" }).waitFor();
    await page.getByText("were recorded before it was cancelled, and stay").waitFor();

    await page.goto(`${weir.address}/#/events/import/imp_01900000-0000-7000-8000-000000000000`);
    await page.getByText("This import is no longer known").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("say what to do where there are none, and where none fits", async () => {
    const empty = await Weir.start();
    try {
      const { page, close } = await empty.open("#/events");
      await page.getByText("No events yet").waitFor();
      await expectAccessible(page);
      await page.keyboard.press("n");
      await page.getByRole("heading", { level: 1, name: "Import" }).waitFor();
      await close();
    } finally {
      await empty.stop();
    }
    const { page, close } = await weir.open("#/events?type=nothing.like.it");
    await page.getByText("No event matches").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).last().click();
    await rows(page).first().waitFor();
    await close();
  });
});
