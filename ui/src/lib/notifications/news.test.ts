import { describe, expect, it } from "vitest";
import type { Alert } from "$lib/api/types";
import { newsOf, noticesOf, type Told } from "./news";

const alert = (id: string, createdAt: string, customerId = "acme"): Alert =>
  ({ id, createdAt, customerId, limit: { threshold: 80, name: "Daily tokens", used: "82", value: "100", unit: "tokens", period: "day" }, balance: null }) as unknown as Alert;
const ids = (list: readonly { id: string }[]) => list.map((each) => each.id);

describe("what is new", () => {
  it("is nothing the first time: what is there was there before", () => {
    const first = newsOf([alert("b", "2026-03-10T12:00:01Z"), alert("a", "2026-03-10T12:00:00Z")], null);
    expect(first.news).toEqual([]);
    expect(ids(newsOf([alert("c", "2026-03-10T12:00:02Z"), alert("b", "2026-03-10T12:00:01Z")], first.told).news)).toEqual(["c"]);
    expect(ids(newsOf([alert("a", "2026-03-10T12:00:00Z")], newsOf([], null).told).news)).toEqual(["a"]);
  });

  it("is told exactly once, also within one millisecond and after others were resolved", () => {
    let told: Told | null = newsOf([], null).told;
    const heard: string[] = [];
    const hear = (...alerts: Alert[]) => {
      const found = newsOf(alerts, told);
      heard.push(...ids(found.news));
      told = found.told;
    };
    const [a, b, c, d] = [
      alert("a", "2026-03-10T12:00:00.123001Z"),
      alert("b", "2026-03-10T12:00:00.123002Z"),
      alert("c", "2026-03-10T12:00:00.123999Z"),
      alert("d", "2026-03-10T12:00:00.124Z"),
    ];
    hear(a);
    hear(b, a);
    hear(c);
    hear(c, b, a);
    hear();
    hear(d, c, b, a);
    hear(c, b, a);
    hear(d);
    expect(heard).toEqual(["a", "b", "c", "d"]);
  });
});

describe("how it is told", () => {
  const many = (count: number, customers = count) => Array.from({ length: count }, (_, i) => alert(`a${i}`, "2026-03-10T12:00:00Z", `c${i % customers}`));

  it("is one notice each up to three, oldest first, leading to the customer", () => {
    expect(noticesOf([], false)).toEqual([]);
    const told = noticesOf([alert("b", "2026-03-10T12:00:01Z", "b/ü"), alert("a", "2026-03-10T12:00:00Z")], false);
    expect(told).toEqual([
      { id: "a", title: "acme crossed 80% of Daily tokens", body: "82 of 100\u202ftokens per day", address: "#/customers/acme" },
      { id: "b", title: "b/ü crossed 80% of Daily tokens", body: "82 of 100\u202ftokens per day", address: "#/customers/b%2F%C3%BC" },
    ]);
    expect(noticesOf(many(3), false)).toHaveLength(3);
  });

  it("leads to the balance that is low", () => {
    const balance = { id: "bal_1", name: "Credits", unit: "credits", threshold: "5", currentBalance: "4.5", topUpAmount: null };
    const low = { id: "a", createdAt: "2026-03-10T12:00:00Z", customerId: "acme", limit: null, balance } as unknown as Alert;
    expect(noticesOf([low], false)).toEqual([
      { id: "a", title: "acme: Credits fell to 4.5\u202fcredits (threshold 5)", body: "Low at 5\u202fcredits or below", address: "#/balances/bal_1" },
    ]);
  });

  it("is one for all beyond, leading to the inbox", () => {
    expect(noticesOf(many(4), false)).toEqual([{ id: "a0", title: "4 new alerts", body: "c0, c1, c2 and 1 more customer", address: "#/alerts" }]);
    expect(noticesOf(many(5, 2), false)[0]!.body).toBe("c0, c1");
    expect(noticesOf(many(100, 50), true)[0]).toMatchObject({ title: "100 or more new alerts", body: "c0, c1, c2 and 47 more customers" });
  });
});
