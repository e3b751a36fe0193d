import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("limits as a file", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    const meter = await weir.api("POST", "/meters", { name: "Calls", aggregation: "count", field: "*" });
    for (const [name, customerId] of [["Daily", undefined], ["Own", "acme"]] as const) {
      await weir.api("POST", "/limits", { name, meterId: meter.id, limitValue: "123456789012345678.123456789", period: "day", customerId });
    }
  });
  afterAll(() => weir?.stop());

  const inForce = async () => ((await weir.api("GET", "/limits/file")) as { text: string }).text;

  it("is edited, previewed, applied and put back, and a fault is told at its line", async () => {
    const former = await inForce();
    const { page, complaints, close } = await weir.open("#/limits");
    await page.getByRole("link", { name: "File" }).click();
    const editor = page.getByRole("textbox", { name: "Every live limit, as TOML" });
    await expect.poll(() => editor.inputValue()).toBe(former);

    await editor.fill(former.replace('"day"', '"fortnight"'));
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: /^line 5: / }).click();
    const chosen = () => editor.evaluate((field: HTMLTextAreaElement) => field.value.slice(field.selectionStart, field.selectionEnd));
    expect(await chosen()).toBe('period = "fortnight"');
    await expectAccessible(page);

    const [daily] = former.split("\n[[limit]]");
    await editor.fill(daily!.replace(/limitValue = .*/, "limitValue = 0.1"));
    await page.getByRole("button", { name: "Preview" }).click();
    // As for whoever works by the command line, what the file does not name stays unless that is asked for.
    await page.getByText("Creates 0, changes 1, archives 0.").waitFor();
    await page.getByRole("checkbox", { name: "Archive limits that the file does not name" }).check();
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("Creates 0, changes 1, archives 1.").waitFor();
    expect(await inForce(), "a preview changes nothing").toBe(former);
    await page.getByRole("button", { name: "Apply 2 changes" }).click();
    await page.getByText("Created 0, changed 1, archived 1.").waitFor();
    expect(await inForce()).toBe(daily!.replace(/limitValue = .*/, 'limitValue = "0.1"'));
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Undone.").waitFor();
    expect(await inForce()).toBe(former);
    await expect.poll(() => editor.inputValue()).toBe(former);
    expect(complaints).toEqual([]);
    await close();
  });
});
