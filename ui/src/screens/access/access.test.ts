import { describe, expect, it } from "vitest";
import { portOf } from "./address";
import { emptyDraft, read, stateOf } from "./token";

describe("a client token", () => {
  const token = { expiresAt: "2026-05-01T12:00:00Z", revokedAt: null };

  it("lets in until its date, and never once it was revoked", () => {
    const at = Date.parse(token.expiresAt);
    expect(stateOf(token, at - 1)).toBe("active");
    expect(stateOf(token, at)).toBe("expired");
    expect(stateOf({ ...token, revokedAt: "2026-05-01T11:00:00Z" }, at - 1)).toBe("revoked");
    expect(stateOf({ ...token, revokedAt: "2026-05-01T11:00:00Z" }, at)).toBe("revoked");
  });

  it("is made of a customer and what was written", () => {
    expect(read({ ...emptyDraft, customerId: "acme" })).toEqual({
      token: { publicMetadata: { customerId: "acme" }, ttlSeconds: 3_600 },
      errors: {},
    });
    expect(read({ customerId: "acme", publicMetadata: '{"plan":"pro"}', serverContext: "null", ttl: "900" }).token).toEqual({
      publicMetadata: { customerId: "acme", plan: "pro" },
      serverContext: null,
      ttlSeconds: 900,
    });
  });

  it("is not sent with what cannot be read, and says at which field", () => {
    const wrong = (part: object) => Object.keys(read({ ...emptyDraft, customerId: "acme", ...part }).errors);
    expect(wrong({ customerId: "" })).toEqual(["customerId"]);
    for (const text of ["{", "[]", "1", "null", '"x"', '{"customerId":"other"}', '{"customer_id":"other"}']) {
      expect(wrong({ publicMetadata: text }), text).toEqual(["publicMetadata"]);
    }
    expect(wrong({ serverContext: "{plan}" })).toEqual(["serverContext"]);
    expect(wrong({ publicMetadata: '{"customerId":"acme","customer_id":"acme"}', serverContext: "[1]" })).toEqual([]);
  });
});

describe("the port of an address", () => {
  it("is known also where it is not said", () => {
    expect(["http://127.0.0.1:8787", "https://weir.example", "http://[::1]/", "nothing"].map(portOf)).toEqual(["8787", "443", "80", null]);
  });
});
