import { describe, expect, it } from "vitest";
import type { Alert } from "$lib/api/types";
import { aboutOf, addressOf, amountOf, detailOf, stoodOf, thresholdOf, titleOf } from "./alert-words";

describe("an alert", () => {
  it("says who crossed what of a limit, and how it stood, exactly", () => {
    const limit = { id: "lmt_1", name: "Daily tokens", threshold: 1000, used: "1234567.5", value: "123456", unit: "tokens", period: "all_time" };
    const alert = { customerId: "acme", limit, balance: null } as unknown as Alert;
    expect(thresholdOf(alert)).toBe("1,000%");
    expect(titleOf(alert)).toBe("acme crossed 1,000% of Daily tokens");
    expect(detailOf(alert)).toBe("1,234,567.5 of 123,456\u202ftokens in all");
    expect(aboutOf(alert)).toEqual({ name: "Daily tokens", link: "#/limits/lmt_1" });
    expect(addressOf(alert)).toBe("#/customers/acme");
  });

  it("says of a balance how low it fell, and leads to it", () => {
    const balance = { id: "bal_1", name: "Credits", unit: "credits", threshold: "5", currentBalance: "4.5", topUpAmount: null };
    const alert = { customerId: "acme", limit: null, balance } as unknown as Alert;
    expect(titleOf(alert)).toBe("acme: Credits fell to 4.5\u202fcredits (threshold 5)");
    expect([thresholdOf(alert), amountOf(alert), detailOf(alert)]).toEqual(["5\u202fcredits", "4.5\u202fcredits left", "Low at 5\u202fcredits or below"]);
    expect(stoodOf(alert)).toBe(amountOf(alert));
    expect(aboutOf(alert)).toEqual({ name: "Credits", link: "#/balances/bal_1" });
    expect(addressOf(alert)).toBe("#/balances/bal_1");
  });

  it("says of a balance that wants a top-up how much to add", () => {
    const balance = { id: "bal_1", name: "Credits", unit: null, threshold: "0", currentBalance: "-1234.5", topUpAmount: "1000" };
    const alert = { customerId: "acme", limit: null, balance } as unknown as Alert;
    expect(stoodOf(alert)).toBe("-1,234.5 left, wants a top-up of 1,000");
    expect(titleOf(alert)).toBe("acme: Credits wants a top-up of 1,000: -1,234.5 left");
    expect(detailOf(alert)).toBe("Wants a top-up at 0 or below");
  });
});
