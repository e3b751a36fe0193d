import { afterEach, describe, expect, it } from "vitest";
import { ApiFailure, asFailure } from "$lib/api/errors";
import { session } from "$lib/state/session.svelte";
import { againAt, reasonOf } from "./failure";

const failure = (code: string, message: string, status: number, retryAfter: number | null = null) => new ApiFailure({ code, message, status }, retryAfter);

afterEach(() => {
  session.scope = "manage";
});

describe("why something failed", () => {
  it("is said in whole sentences, whoever wrote them", () => {
    expect(reasonOf(asFailure(new TypeError("Failed to fetch")))).toBe("Weir cannot be reached.");
    expect(reasonOf(failure("conflict", "a meter of this name exists", 409))).toBe("a meter of this name exists.");
    expect(reasonOf(failure("conflict", "Is it there?", 409))).toBe("Is it there?");
  });

  it("is that the keyring does not answer, and not what the message bus said of it", () => {
    const silent = failure("keyring_unavailable", "the keyring of the system does not answer (org.freedesktop.DBus.Error.ServiceUnknown): start it", 409);
    expect(reasonOf(silent)).toBe("Your system's keyring does not answer.");
  });

  it("is the key’s scope, by what the key may do", () => {
    const refused = failure("insufficient_permissions", "the key's scope is `read`; server.get needs `manage`", 403);
    session.scope = "read";
    expect(reasonOf(refused)).toBe("The key that is signed in may only read and check. Sign in with a key of the scope Manage.");
    session.scope = "ingest";
    expect(reasonOf(refused)).toMatch(/may only record and read\./);
    session.scope = "manage";
    expect(reasonOf(failure("insufficient_permissions", "server.update is only possible on the machine that holds the data", 403))).toMatch(/on the machine that holds the data\.$/);
  });

  it("is that the key has made all its calls, and until when", () => {
    const spent = failure("rate_limit_exceeded", "no more than 6 calls per day are admitted, and they were made; try again in 86669 s", 429, 86_669);
    expect(reasonOf(spent)).toMatch(/It may call again tomorrow \(\w+, .*\d\d:\d\d\)\.$/);
    expect(reasonOf(spent)).not.toMatch(/86669/);
    const now = Date.UTC(2026, 4, 1, 12);
    expect(againAt(now + 45_000, now)).toBe("in 45 seconds");
    expect(againAt(now - 45_000, now)).toBe("now");
    expect(againAt(now + 5 * 3_600_000, now)).toMatch(/^in 5 hours \(Friday, May 1, \d\d:00\)$/);
    expect(againAt(null, now)).toBe("later");
  });
});
