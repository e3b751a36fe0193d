import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, grouped, sampleSums, Weir } from "./weir";

interface Named {
  id: string;
  name: string;
}

describe("meters and limits", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/sample", {});
  });
  afterAll(() => weir?.stop());

  const named = async (path: string, name: string) =>
    ((await weir.api("GET", path)) as { data: Named[] }).data.find((each) => each.name === name)!;

  it("a meter cannot take another's name, says what a new definition means, and is changed", async () => {
    const sums = await sampleSums();
    const made = await weir.api("POST", "/meters", { name: "Completions", aggregation: "count", field: "*" });
    const { page, complaints, close } = await weir.open(`#/meters/${String(made.id)}`);
    await page.getByRole("heading", { level: 1, name: "Completions" }).waitFor();
    await page.getByText("Number of events").first().waitFor();
    await page.keyboard.press("e");
    const name = page.getByRole("textbox", { name: "Name" });
    await expect.poll(() => name.inputValue()).toBe("Completions");
    await name.fill("Tokens");
    await name.press("Enter");
    await page.getByRole("alert").filter({ hasText: "another live meter" }).waitFor();
    await expectAccessible(page);

    await name.fill("Conversations");
    expect(await page.getByText("all history is counted anew").count()).toBe(0);
    await page.getByRole("button", { name: "Condition" }).click();
    await page.keyboard.type("feature");
    await page.getByRole("option", { name: "feature" }).waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.type("conv");
    await page.getByRole("option", { name: "conv" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("all history is counted anew").waitFor();
    // The preview already knows.
    await page.getByText(`${grouped(sums.conv.rows)} of ${grouped(sums.conv.rows + sums.code.rows)}`).waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { level: 1, name: "Conversations" }).waitFor();
    await page.getByText("where feature = conv").waitFor();
    await page.locator(`[role=slider][aria-valuetext*="${grouped(sums.conv.rows)}"]`).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("a meter in use says which limits stand in the way; one that is not is archived, and taken back", async () => {
    const used = await named("/meters", "Tokens");
    const { page, complaints, close } = await weir.open(`#/meters/${used.id}?by=feature`);
    await page.getByRole("row", { name: /^conv/ }).waitFor();
    await page.getByRole("button", { name: "Actions", exact: true }).click();
    await page.getByRole("menuitem", { name: /Archive/ }).click();
    const why = page.getByRole("dialog", { name: "Tokens cannot be archived yet" });
    await why.getByRole("link", { name: "Token allowance" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");

    const free = await weir.api("POST", "/meters", { name: "Spare", aggregation: "count", field: "*" });
    await page.goto(`${weir.address}/#/meters/${String(free.id)}`);
    await page.getByRole("heading", { level: 1, name: "Spare" }).waitFor();
    await page.getByRole("button", { name: "Actions", exact: true }).click();
    await page.getByRole("menuitem", { name: /Archive/ }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Archive" }).click();
    await page.getByText("This meter is archived").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("This meter is archived").waitFor({ state: "detached" });

    const builtIn = await named("/meters", "total_events");
    await page.goto(`${weir.address}/#/meters/${builtIn.id}`);
    await page.getByRole("heading", { level: 1, name: "total_events" }).waitFor();
    await page.getByText("Built in").waitFor();
    expect(await page.getByRole("link", { name: "Edit" }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("a limit says whom a new value stops before it is saved, and the change is taken back", async () => {
    const sums = await sampleSums();
    const limit = await named("/limits", "Token allowance");
    const { page, complaints, close } = await weir.open(`#/limits/${limit.id}/edit`);
    const value = page.getByRole("textbox", { name: "How much" });
    await expect.poll(() => value.inputValue()).not.toBe("");
    // Exactly what the code side used: at its limit is beyond it.
    await value.fill(grouped(sums.code.tokens));
    await page.getByText("2 customers are at or over it and would be refused at once.").waitFor();
    await page.getByText("1 of them already is.").waitFor();
    await value.fill(grouped(sums.code.tokens + 1n));
    await page.getByText("1 customer is at or over it").waitFor();
    await page.getByText("As before.").waitFor();
    await value.fill(grouped(sums.conv.tokens + 1n));
    await page.getByText("1 customer is over it today and would no longer be.").waitFor();
    await expectAccessible(page);

    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { level: 1, name: "Token allowance" }).waitFor();
    await page.getByText(grouped(sums.conv.tokens + 1n)).first().waitFor();
    // All but one token is used, and that is not all.
    await page.getByText("99.9%").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Exceeded").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("a limit saved at once waits until it is known whom it stops", async () => {
    const limit = await named("/limits", "Token allowance");
    const { page, close } = await weir.open("#/settings");
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/v1/limits/standings**", async (route) => {
      await held;
      await route.continue();
    });
    await page.evaluate((id) => (location.hash = `#/limits/${id}/edit`), limit.id);
    const value = page.getByRole("textbox", { name: "How much" });
    await expect.poll(() => value.inputValue()).not.toBe("");
    await value.fill("1");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Looking").first().waitFor();
    expect(await page.getByRole("alertdialog").count()).toBe(0);
    release();
    await page.getByRole("alertdialog").waitFor();
    await page.keyboard.press("Escape");
    const after = (await weir.api("GET", `/limits/${limit.id}`)) as { version: number };
    const before = limit as unknown as { version: number };
    expect(after.version).toBe(before.version);
    await close();
  });

  it("a limit is switched off and on, archived and taken back", async () => {
    const limit = await named("/limits", "Request allowance");
    const { page, complaints, close } = await weir.open(`#/limits/${limit.id}`);
    await page.getByRole("row", { name: /azure-conv/ }).waitFor();
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Switch off" }).click();
    await page.getByText("This limit is off").waitFor();
    await page.getByText("It is off, so nobody is held to it.").waitFor();

    await page.getByRole("button", { name: "Switch on" }).click();
    const asking = page.getByRole("alertdialog");
    await asking.getByText(/No customer is at or over it|at or over it/).waitFor();
    await expectAccessible(page);
    await asking.getByRole("button", { name: "Switch on" }).click();
    await page.getByRole("row", { name: /azure-conv/ }).waitFor();

    await page.getByRole("button", { name: "Actions", exact: true }).click();
    await page.getByRole("menuitem", { name: /Archive/ }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Archive" }).click();
    await page.getByText("This limit is archived").waitFor();
    await page.getByRole("button", { name: "Undo" }).last().click();
    await page.getByRole("row", { name: /azure-conv/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("a limit of one customer where a dimension is something, with thresholds of its own", async () => {
    const { page, complaints, close } = await weir.open("#/limits/new?customer=azure-code");
    const value = page.getByRole("textbox", { name: "How much" });
    await value.waitFor();
    await value.fill("none");
    await page.getByRole("combobox", { name: "Of which meter" }).fill("Tokens");
    await page.getByRole("option", { name: /^Tokens/ }).click();
    await page.keyboard.press("Control+Enter");
    await page.getByText("Enter a number above 0.").waitFor();
    await value.fill("1,000.5");
    await page.getByRole("button", { name: "where" }).click();
    await page.keyboard.type("feature");
    await page.getByRole("option", { name: "feature" }).waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.type("code");
    await page.getByRole("option", { name: "code" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Tokens per month, code");
    await page.getByRole("button", { name: "Percentage" }).click();
    const percentage = page.getByRole("combobox", { name: "Percentage" });
    for (const wrong of ["2000", "50.5", "abc", "0"]) {
      await percentage.fill(wrong);
      await page.keyboard.press("Enter");
      await page.getByText("Must be a whole percentage from 1 to 1,000.").waitFor();
      expect(await percentage.inputValue()).toBe(wrong);
      expect(await page.getByRole("button", { name: /^Do not tell at/ }).count()).toBe(2);
    }
    await expectAccessible(page);
    await page.keyboard.press("Control+Enter");
    expect(await page.getByRole("heading", { level: 1, name: "New limit" }).count()).toBe(1);
    await percentage.fill("");
    await page.keyboard.type("42");
    await page.getByRole("option", { name: "42" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Do not tell at 42%" }).waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { level: 1, name: "Tokens per month, code" }).waitFor();
    const made = (await weir.api("GET", "/limits?customerId=azure-code")) as { data: Record<string, unknown>[] };
    expect(made.data.find((each) => each.name === "Tokens per month, code")).toMatchObject({
      limitValue: "1000.5",
      period: "month",
      customerId: "azure-code",
      dimensionFilters: { feature: "code" },
      alertThresholds: [42, 80, 100],
      enforcement: "hard",
    });
    expect(complaints).toEqual([]);
    await close();
  });
});
