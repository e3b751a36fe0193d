import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

/** Puts a desktop in the browser's place: what the page would show is kept, and can be chosen. */
async function desktop(page: Page): Promise<{ shown(): Promise<string[]>; choose(title: string): Promise<void> }> {
  await page.context().addInitScript(() => {
    const kept: Notification[] = [];
    class Shown {
      static get permission() {
        return sessionStorage.getItem("allowed") ?? "default";
      }
      static async requestPermission() {
        sessionStorage.setItem("allowed", "granted");
        return Shown.permission;
      }
      onclick: (() => void) | null = null;
      constructor(
        readonly title: string,
        readonly options: NotificationOptions,
      ) {
        kept.push(this as unknown as Notification);
      }
      close() {}
    }
    Object.assign(globalThis, { Notification: Shown, kept });
  });
  await page.reload();
  type Kept = { title: string; options: { body: string }; onclick(): void }[];
  return {
    shown: () => page.evaluate(() => (globalThis as unknown as { kept: Kept }).kept.map((each) => `${each.title}: ${each.options.body}`)),
    choose: (title) => page.evaluate((wanted) => (globalThis as unknown as { kept: Kept }).kept.find((each) => each.title === wanted)!.onclick(), title),
  };
}

describe("notifications", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens" });
    await weir.api("POST", "/limits", { name: "Daily", meterId: meter.id, limitValue: "100", period: "day", enforcement: "soft", alertThresholds: [50, 100] });
    await use("before", "60");
  });
  afterAll(() => weir?.stop());

  const use = (customerId: string, tokens: string) => weir.api("POST", "/track", { customerId, eventType: "call", values: { tokens } });

  it("are turned on in the settings, tell of each new alert once, and lead to the customer", async () => {
    const { page, complaints, close } = await weir.open("#/settings");
    const { shown, choose } = await desktop(page);
    await page.getByRole("checkbox", { name: "Tell me when a customer crosses a threshold" }).check();
    await page.getByRole("button", { name: "Show one now" }).click();
    await page.getByText("A notification was shown.").waitFor();
    await expectAccessible(page);

    await use("acme", "55.5");
    await expect.poll(shown).toEqual([expect.stringContaining("This is what a notification looks like"), "acme crossed 50% of Daily: 55.5 of 100 per day"]);
    await use("acme", "1");
    await choose("acme crossed 50% of Daily");
    await page.getByRole("heading", { level: 1, name: "acme" }).waitFor();

    // What was told stays told, also after a reload; what comes all at once comes as one.
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "acme" }).waitFor();
    await page.goto(`${weir.address}/#/settings`);
    await page.getByRole("checkbox", { name: "Quiet hours" }).check();
    const hour = await page.evaluate(() => new Date().getHours());
    const clock = (h: number) => `${String((h + 24) % 24).padStart(2, "0")}:00`;
    await page.getByLabel("From").fill(clock(hour - 1));
    await page.getByLabel("To", { exact: true }).fill(clock(hour + 2));
    await page.getByText("Quiet now, until").waitFor();
    await expectAccessible(page);
    for (const customer of ["a", "b", "c", "d"]) await use(customer, "70");
    await expect.poll(async () => (await weir.api("GET", "/status")).openAlerts).toBe(6);
    expect(await shown()).toEqual([]);
    await page.getByRole("checkbox", { name: "Quiet hours" }).uncheck();
    await expect.poll(shown).toEqual(["4 new alerts: d, c, b and 1 more customer"]);
    await page.getByRole("checkbox", { name: "Only at 100% of a limit and above" }).check();
    await use("e", "70");
    await use("e", "70");
    await expect.poll(shown).toEqual([expect.stringContaining("4 new alerts"), "e crossed 100% of Daily: 140 of 100 per day"]);
    expect(complaints).toEqual([]);
    await close();
  });

  it("say that the browser does not allow them, and stay off", async () => {
    const { page, complaints, close } = await weir.open("#/settings", { theme: "dark" });
    await page.context().addInitScript(() => {
      class Denied {
        static permission = "denied";
      }
      Object.assign(globalThis, { Notification: Denied });
    });
    await page.reload();
    await page.getByText("This browser does not allow notifications").waitFor();
    const on = page.getByRole("checkbox", { name: "Tell me when a customer crosses a threshold" });
    await on.click();
    await expect.poll(() => on.isChecked()).toBe(false);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });
});
