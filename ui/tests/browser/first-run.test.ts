import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, grouped, sampleSums, Weir } from "./weir";

const run = promisify(execFile);

describe("the first run", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  it("asks for a key, refuses a wrong one in words, and takes a right one", async () => {
    const { page, complaints, close } = await weir.open("", { key: null });
    await page.getByRole("heading", { name: "Sign in to Weir" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.type("weir_sk_00000000000000000000000000000000");
    await page.keyboard.press("Enter");
    await page.getByText("This key is unknown or was revoked.").waitFor();
    await page.getByLabel("API key").fill(weir.key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Meter your first usage" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it.each(["light", "dark"] as const)("offers its ways to begin, accessibly, in %s", async (theme) => {
    const { page, complaints, close } = await weir.open("#/overview", { theme });
    await page.getByRole("heading", { name: "Explore with sample data" }).waitFor();
    await page.getByRole("button", { name: "Show the code" }).click();
    await page.getByText(`WEIR=${weir.address}/v1`).waitFor();
    await expectAccessible(page);
    for (const screen of ["customers", "meters", "limits", "events"]) {
      await page.goto(`${weir.address}/#/${screen}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator("[aria-busy=true]").waitFor({ state: "detached" });
      await expectAccessible(page);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  it("loads the sample by keyboard and shows what an independent sum over the files gives", async () => {
    const sums = await sampleSums();
    const { page, complaints, close } = await weir.open("#/overview");
    const load = page.getByRole("button", { name: "Load the sample" });
    await load.waitFor();
    while (!(await load.evaluate((button) => button === document.activeElement))) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText(`Loaded ${grouped(sums.code.rows + sums.conv.rows)} sample events.`).waitFor();

    const figures = page.locator("dl.figures");
    await figures.getByText(grouped(sums.code.rows + sums.conv.rows), { exact: true }).waitFor();
    // The chart stands on the data's own hour and says its exact total to a screen reader.
    await page.getByText("Nov 16, 2023, 18:15 – 19:15").waitFor();
    const total = `${grouped(sums.code.tokens + sums.conv.tokens)}\u202ftokens`;
    await page.locator(`[role=slider][aria-valuetext*="${total}"]`).waitFor();

    // By customer, the parts are the files' sums.
    await page.goto(`${weir.address}/#/overview?by=customer_id`);
    await page.locator(`[role=slider][aria-valuetext*="${grouped(sums.code.tokens)}"][aria-valuetext*="${grouped(sums.conv.tokens)}"]`).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("connecting an app", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
  });
  afterAll(() => weir?.stop());

  it("waits with a ready snippet and lights up when the first event arrives", async () => {
    const { page, complaints, close } = await weir.open("#/overview", {
      before: (context) => context.grantPermissions(["clipboard-read", "clipboard-write"]),
    });
    await page.getByRole("button", { name: "Show the code" }).click();
    const code = page.getByRole("region", { name: "Track in curl" });
    await code.getByText("weir_sk_…").waitFor();
    await page.getByRole("button", { name: "Make a key and put it in" }).click();
    await page.getByText("Key “My app” is in the code").waitFor();
    expect(await code.textContent()).not.toContain("weir_sk_…");
    // Another visit knows the key no more. One that is made then is told from it by its name.
    await page.reload();
    await page.getByRole("button", { name: "Show the code" }).click();
    await page.getByRole("button", { name: "Make a key and put it in" }).click();
    await page.getByText("Key “My app 2” is in the code").waitFor();
    await page.getByText("Waiting for the first event…").waitFor();
    await expectAccessible(page);

    // Exactly what is copied is what is pasted.
    await page.getByRole("button", { name: "Copy Track in curl" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const { stdout } = await run("bash", ["-c", await page.evaluate(() => navigator.clipboard.readText())]);
    expect(stdout).toContain("Status 201");
    await page.getByText("The first event has arrived.").waitFor();
    const arrived = page.getByText("llm.completion of acme");
    await arrived.waitFor();
    await weir.api("POST", "/events/record", { customerId: "globex", eventType: "call" });
    await page.getByRole("link", { name: "New meter" }).waitFor();
    await expectAccessible(page);
    await arrived.getByRole("link", { name: "llm.completion" }).click();
    await page.getByRole("dialog", { name: "llm.completion" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.locator("dl.figures").getByText("2", { exact: true }).first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
