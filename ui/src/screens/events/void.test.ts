import { describe, expect, it } from "vitest";
import { voidRequest } from "./void";

describe("voiding an event", () => {
  it("says why, where something was said", () => {
    expect(voidRequest("evt_1", "  sent twice ")).toEqual({ id: "evt_1", reason: "sent twice" });
    expect(voidRequest("evt_1", " ")).toEqual({ id: "evt_1" });
    expect(voidRequest("evt_1", "")).not.toHaveProperty("reason");
  });
});
