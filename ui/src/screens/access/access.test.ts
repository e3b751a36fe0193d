import { describe, expect, it } from "vitest";
import { ApiFailure } from "$lib/api/errors";
import { portOf } from "./address";
import { wrongOrigin } from "./origins";
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

describe("an origin", () => {
  const failure = (field: string | undefined, message: string) =>
    new ApiFailure({ code: "invalid_field_value", message, status: 400, details: field === undefined ? {} : { field } });
  const sent = ["https://a.example", "https://*.example.com"];

  it("that is wrong is told by its name, not by its place in the list", () => {
    const placed = failure("clientOrigins[1]", "`clientOrigins[1]` must name one host: wildcards are not taken");
    expect(wrongOrigin(placed, sent)).toBe("“https://*.example.com” must name one host: wildcards are not taken");
    expect(wrongOrigin(failure("clientOrigins", "`clientOrigins` must have at most 100 entries"), sent)).toBe("“clientOrigins” must have at most 100 entries");
    expect(wrongOrigin(failure(undefined, "Failed to fetch"), sent)).toBe("Failed to fetch.");
  });
});
