import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

describe("the simulator", () => {
  let weir: Weir;
  let largest: string;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/customers", { externalId: "acme", name: "Acme" });
    const meter = await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens", unit: "tokens" });
    await weir.api("POST", "/limits", { name: "Daily tokens", meterId: meter.id, limitValue: "1000", period: "all_time" });
    await weir.api("POST", "/limits", { name: "Large models", meterId: meter.id, limitValue: "5", period: "all_time", dimensionFilters: { model: "large" } });
    const event = (tokens: string) => ({ customerId: "acme", eventType: "llm.call", values: { tokens }, dimensions: { model: "small" } });
    await weir.api("POST", "/events/record", event("90.5"));
    largest = (await weir.api("POST", "/events/record", event("900"))).id as string;
  });
  afterAll(() => weir?.stop());

  const refused = { customerId: "acme", eventType: "llm.call", values: { tokens: "20.25" }, dimensions: { model: "small", user: "" } };

  async function track(call: object): Promise<number> {
    const response = await fetch(`${weir.address}/v1/track`, {
      method: "POST",
      headers: { Authorization: `Bearer ${weir.key}`, "Content-Type": "application/json" },
      body: JSON.stringify(call),
    });
    await response.body?.cancel();
    return response.status;
  }

  it("explains a refused call in one step, and leads to the events that weigh most", async () => {
    expect(await track(refused)).toBe(429);
    const { page, complaints, close } = await weir.open("#/customers/acme/refusals");
    await page.getByRole("row", { name: /llm\.call/ }).getByRole("link", { name: "Explain" }).click();
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor();
    expect(await page.getByRole("combobox", { name: "Event type" }).inputValue()).toBe("llm.call");
    expect(await page.getByRole("textbox", { name: "Amount of tokens" }).inputValue()).toBe("20.25");
    const answer = page.getByRole("region", { name: "Answer" });
    await answer.getByText(/Daily tokens: would go from 990\.5 to 1,010\.75, beyond 1,000\stokens in all\./).waitFor();
    await page.getByText("It counts only where model = large; here it is small.").waitFor();
    await expectAccessible(page);

    const weigh = page.getByRole("list", { name: "Events that weigh most on Daily tokens" });
    await expect.poll(() => weigh.getByRole("listitem").count()).toBe(2);
    await weigh.getByRole("listitem").first().getByText(/900\stokens/).waitFor();
    await weigh.getByRole("link").first().click();
    await page.getByRole("dialog", { name: "llm.call" }).getByText(largest).first().waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is reached from the drawer of a refusal, and keeps dimensions without a text", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme/refusals", { theme: "dark" });
    await page.getByRole("row", { name: /llm\.call/ }).first().click();
    await page.getByRole("dialog", { name: "Refused: llm.call" }).getByRole("link", { name: "Explain" }).click();
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: "Remove the filter on user" }).count()).toBe(1);
    expect(page.url()).toContain("blank=user");
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is asked by keyboard alone, and its answer follows what is typed", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme");
    await page.getByRole("heading", { level: 1, name: "acme" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("what would a request");
    await page.getByRole("option", { name: "What would a request of acme get, and why?" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The customer may go on" }).waitFor();
    await page.getByRole("radio", { name: "The customer as such" }).focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("radio", { name: "One call", checked: true }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.type("llm.call");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "This call would be recorded" }).waitFor();
    await page.getByRole("button", { name: "Value", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("tokens");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("9.5");
    await page.getByText(/Goes from 990\.5 to 1,000 of 1,000\stokens in all\./).waitFor();
    await page.keyboard.type("1");
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor();
    await page.keyboard.type("x");
    await page.getByText("Write it like 1.5 or 1,000.").waitFor();
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor({ state: "detached" });
    await expectAccessible(page);
    await page.keyboard.press("Backspace");
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor();
    // The address asks the same again.
    const address = new URL(page.url()).hash;
    expect(address).toContain("v.tokens=9.51");
    await close();
    const again = await weir.open(address);
    await again.page.getByText(/Daily tokens: would go from 990\.5 to 1,000\.01/).waitFor();
    expect([...complaints, ...again.complaints]).toEqual([]);
    await again.close();
  });

  it("answers anew as events come in", async () => {
    const { page, complaints, close } = await weir.open("#/customers/acme/simulator?ask=call&type=llm.call&v.tokens=9");
    await page.getByRole("heading", { name: "This call would be recorded" }).waitFor();
    await weir.api("POST", "/events/record", { customerId: "acme", eventType: "llm.call", values: { tokens: "1" } });
    await page.getByRole("heading", { name: "This call would be refused" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
