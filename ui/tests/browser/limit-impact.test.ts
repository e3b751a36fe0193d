/** Whom a limit refuses is said before it does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

const DAY = 86_400_000;

describe("before a limit refuses anybody", () => {
  let weir: Weir;
  let meter: string;
  beforeAll(async () => {
    weir = await Weir.start();
    meter = (await weir.api("POST", "/meters", { name: "Calls", aggregation: "count", field: "*" })).id as string;
    const date = (back: number) => new Date(Date.now() - back * DAY).toISOString().slice(0, 10);
    // Their months began five days ago, and today.
    await weir.api("POST", "/customers", { externalId: "early", timezone: "UTC", billingCycleStart: date(5) });
    await weir.api("POST", "/customers", { externalId: "today", timezone: "UTC", billingCycleStart: date(0) });
    for (const customerId of ["early", "today", "today"]) {
      await weir.api("POST", "/events/record", { customerId, eventType: "call", timestamp: new Date(Date.now() - 3 * DAY).toISOString() });
    }
    for (const customerId of ["early", "early", "today"]) await weir.api("POST", "/events/record", { customerId, eventType: "call" });
  });
  afterAll(() => weir?.stop());

  const make = async (name: string, more: object = {}) =>
    (await weir.api("POST", "/limits", { name, meterId: meter, limitValue: "3", period: "month", enabled: false, ...more })).id as string;

  it("a new one names who is at or over it, each in its own window, and asks", async () => {
    const { page, complaints, close } = await weir.open(`#/limits/new?meter=${meter}`);
    await page.getByRole("textbox", { name: "How much" }).fill("3");
    await page.getByText("1 customer is at or over it and would be refused at once.").waitFor();
    const impact = page.getByRole("region", { name: "What it does now" });
    await impact.getByRole("link", { name: "early" }).waitFor();
    expect(await impact.getByRole("link", { name: "today" }).count()).toBe(0);
    await expectAccessible(page);
    for (const period of ["per week", "per year", "per hour", "per day"]) {
      await page.getByLabel(/^In which period/).click();
      await page.getByRole("option", { name: period }).click();
      await impact.getByText(/at or over it/).waitFor();
    }
    await page.getByLabel(/^In which period/).click();
    await page.getByRole("option", { name: "per month" }).click();
    await page.keyboard.press("Control+Enter");
    const asking = page.getByRole("alertdialog", { name: "Refuse 1 customer at once?" });
    await asking.getByText("early").waitFor();
    await asking.getByRole("button", { name: "Create the limit" }).click();
    await page.getByRole("row", { name: /early.*Exceeded/ }).waitFor();
    await page.getByRole("row", { name: /today.*1 of 3/ }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("This limit is archived").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("one that is switched on names who is at or over it", async () => {
    const id = await make("Off");
    const { page, complaints, close } = await weir.open(`#/limits/${id}`);
    await page.getByRole("button", { name: "Switch on" }).click();
    const asking = page.getByRole("alertdialog", { name: "Switch Off on?" });
    await asking.getByText("1 customer is at or over it and would be refused at once.").waitFor();
    await asking.getByRole("link", { name: "early" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await close();
    expect(complaints).toEqual([]);
  });

  it("one that is restored asks where it would refuse somebody, and is archived again at a press", async () => {
    const id = await make("Gone", { enabled: true });
    await weir.api("DELETE", `/limits/${id}`);
    const { page, complaints, close } = await weir.open(`#/limits/${id}`);
    const restore = async () => {
      await page.getByRole("button", { name: "Actions", exact: true }).click();
      await page.getByRole("menuitem", { name: "Restore" }).click();
    };
    await page.getByText("This limit is archived").waitFor();
    await restore();
    const asking = page.getByRole("alertdialog", { name: "Restore Gone?" });
    await asking.getByText("1 customer is at or over it and would be refused at once.").waitFor();
    await asking.getByRole("link", { name: "early" }).waitFor();
    await expectAccessible(page);
    expect((await weir.api("GET", `/limits/${id}`)).archivedAt).not.toBeNull();
    await asking.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("row", { name: /early.*Exceeded/ }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("This limit is archived").waitFor();

    const harmless = await make("Harmless", { enabled: true, limitValue: "1000" });
    await weir.api("DELETE", `/limits/${harmless}`);
    await page.goto(`${weir.address}/#/limits/${harmless}`);
    await page.getByRole("heading", { level: 1, name: "Harmless" }).waitFor();
    await restore();
    await page.getByText("Restored Harmless.").waitFor();
    expect(await page.getByRole("alertdialog").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("one in force shows what is held, and puts first whom it stops", async () => {
    const tokens = (await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens" })).id as string;
    await weir.api("POST", "/events/record", { customerId: "user", eventType: "job", values: { tokens: "50" } });
    await weir.api("POST", "/reservations", { customerId: "holder", eventType: "job", values: { tokens: "300" }, ttlSeconds: 3600 });
    const id = (await weir.api("POST", "/limits", { name: "Held", meterId: tokens, limitValue: "100", period: "month" })).id as string;
    const { page, complaints, close } = await weir.open(`#/limits/${id}`);
    const holder = page.getByRole("row", { name: /holder.*Exceeded.*0 of 100.*\+ 300 held/ });
    await holder.waitFor();
    expect(await holder.getByRole("meter").getAttribute("aria-valuetext")).toContain("300% held");
    const [first, second] = await page.getByRole("row").filter({ hasText: "of 100" }).allInnerTexts();
    expect([first, second].map((text) => text!.split("\n")[0])).toEqual(["holder", "user"]);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("a file says of each change whom it would refuse, and that it is applied once it is", async () => {
    const { page, complaints, close } = await weir.open("#/limits/file");
    const editor = page.getByRole("textbox", { name: "Every live limit, as TOML" });
    await editor.fill(
      ["Fresh", "Roomy", "Own"]
        .map((name, i) => `[[limit]]\nname = "${name}"\nmeter = "Calls"\nlimitValue = ${[2, 1000, 50][i]}\nperiod = "${i === 1 ? "week" : "month"}"\n${i === 2 ? 'customerId = "today"\n' : ""}`)
        .join("\n"),
    );
    await page.getByRole("button", { name: "Preview" }).click();
    const plan = page.getByRole("region", { name: "What would change" });
    const fresh = plan.getByRole("listitem").filter({ hasText: "Fresh" });
    // The one with a limit of its own in the same file is not held to the default.
    await fresh.getByText("1 customer is at or over it and would be refused at once.").waitFor();
    await fresh.getByRole("link", { name: "early" }).waitFor();
    await plan.getByRole("listitem").filter({ hasText: "Roomy" }).getByText("No customer is at or over it.").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: /^Apply \d+ changes$/ }).click();
    await plan.getByRole("heading", { name: "Applied: the limits are as the file says." }).waitFor();
    expect(await page.getByRole("button", { name: "Applied", exact: true }).isDisabled()).toBe(true);
    expect(await page.getByRole("button", { name: /^Apply/ }).count()).toBe(0);
    await expectAccessible(page);
    // Whatever is written next is another plan.
    await editor.press("End");
    await editor.pressSequentially(" ");
    await page.getByRole("button", { name: "Apply", exact: true }).waitFor();
    await plan.getByText("See first what changes").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
