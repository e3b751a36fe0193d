import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Weir } from "./weir";

describe("charts of usage", () => {
  let weir: Weir;
  beforeAll(async () => {
    weir = await Weir.start();
    await weir.api("POST", "/meters", { name: "Unused", aggregation: "sum", field: "values.none" });
    await weir.api("POST", "/meters", { name: "Tokens", aggregation: "sum", field: "values.tokens" });
    await weir.api("POST", "/events/record", { customerId: "writer", eventType: "call", values: { tokens: "5" } });
    await weir.api("POST", "/events/record", { customerId: "caller", eventType: "call" });
  });
  afterAll(() => weir?.stop());

  it("open on the first meter that has something to show", async () => {
    for (const [hash, name] of [
      ["#/overview", "Tokens"],
      ["#/customers/writer/usage", "Tokens"],
      ["#/customers/caller/usage", "total_events"],
    ] as const) {
      const { page, complaints, close } = await weir.open(hash);
      await page.getByRole("button", { name: `Meter: ${name}` }).or(page.getByLabel(`Meter: ${name}`)).first().waitFor();
      expect(complaints).toEqual([]);
      await close();
    }
  });
});
