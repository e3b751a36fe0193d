import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { session } from "./session.svelte";

type Answer = { status: number; body: unknown; headers?: Record<string, string> };

const PROJECT = { id: "prj_1", name: "Weir", timezone: "UTC" };
const SIGNED_IN = { keyName: "console", scope: "manage", expiresAt: "2026-03-17T12:00:00Z" };

/** A server with one door for all tabs: whether somebody is signed in is its own to know. */
let signedIn: boolean;
/** What is answered in place of what would be. */
let instead: Record<string, Answer>;
let asked: string[];

const refused = (code: string, status = 401): Answer => ({ status, body: { error: { code, message: code, status, requestId: "r" } } });

function answer(request: Request): Answer {
  const { pathname } = new URL(request.url);
  const what = `${request.method} ${pathname}`;
  asked.push(what);
  if (instead[what]) return instead[what];
  if (what === "POST /console/session") {
    signedIn = request.headers.get("Authorization") === "Bearer weir_sk_right";
    return signedIn ? { status: 201, body: SIGNED_IN } : refused("invalid_api_key");
  }
  if (what === "DELETE /console/session") {
    signedIn = false;
    return { status: 200, body: { success: true } };
  }
  if (!signedIn) return refused("missing_api_key");
  return { status: 200, body: pathname === "/console/session" ? SIGNED_IN : PROJECT };
}

beforeEach(async () => {
  signedIn = false;
  instead = {};
  asked = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    if (url.endsWith("/v1/changes")) {
      asked.push("listen");
      return new Promise((_, failed) => init.signal!.addEventListener("abort", () => failed(init.signal!.reason)));
    }
    const { status, body, headers } = answer(new Request(url, { method: init.method, headers: init.headers }));
    return new Response(JSON.stringify(body), { status, headers });
  });
});

afterEach(async () => {
  vi.useRealTimers();
  instead = {};
  await session.signOut();
  vi.unstubAllGlobals();
});

const state = () => ({ phase: session.phase, ended: session.ended, failure: session.failure?.code ?? null });

describe("the session", () => {
  it("is asked for first, and without one a key is, as no news", async () => {
    await session.start();
    expect(state()).toEqual({ phase: "signIn", ended: false, failure: null });
    expect(asked).toEqual(["GET /console/session"]);
  });

  it("goes on where the browser is signed in, as in a second tab", async () => {
    signedIn = true;
    await session.start();
    expect(state()).toEqual({ phase: "ready", ended: false, failure: null });
    expect(session.project).toEqual(PROJECT);
    expect(asked).toEqual(["GET /console/session", "GET /v1/project", "listen"]);
  });

  it("says that a key was refused, stays on the form, and takes a right one", async () => {
    await session.start();
    await session.signIn(" weir_sk_wrong ");
    expect(state()).toEqual({ phase: "signIn", ended: false, failure: "invalid_api_key" });
    await session.signIn(" weir_sk_right ");
    expect(state()).toEqual({ phase: "ready", ended: false, failure: null });
    expect([sessionStorage.length, localStorage.length]).toEqual([0, 0]);
  });

  it("says that it has ended, at the start or later", async () => {
    instead["GET /console/session"] = refused("expired_api_key");
    await session.start();
    expect(state()).toEqual({ phase: "signIn", ended: true, failure: null });

    instead = {};
    await session.signIn("weir_sk_right");
    expect(state()).toEqual({ phase: "ready", ended: false, failure: null });
    // Signed out in another tab: the next call is nobody's.
    signedIn = false;
    await expect(session.call("project.get", {})).rejects.toMatchObject({ code: "missing_api_key" });
    expect(state()).toEqual({ phase: "signIn", ended: true, failure: null });
  });

  it("signs out at the server, which is no news, nor is what was still under way", async () => {
    signedIn = true;
    await session.start();
    await session.signOut();
    expect(asked.at(-1)).toBe("DELETE /console/session");
    await expect(session.call("project.get", {})).rejects.toMatchObject({ isAuth: true });
    expect(state()).toEqual({ phase: "signIn", ended: false, failure: null });
  });

  it("stays where it could not be ended, and listens again", async () => {
    signedIn = true;
    await session.start();
    instead["DELETE /console/session"] = refused("busy", 503);
    await expect(session.signOut()).rejects.toMatchObject({ code: "busy" });
    expect(state()).toEqual({ phase: "ready", ended: false, failure: null });
    expect(asked.at(-1)).toBe("listen");
  });

  it("is not taken for ended where the server does not answer", async () => {
    instead["GET /console/session"] = refused("busy", 503);
    await session.start();
    expect(state()).toEqual({ phase: "unreachable", ended: false, failure: "busy" });
  });

  describe("of a key that has made all the calls it may", () => {
    const spent = (seconds: number): Answer => ({ ...refused("rate_limit_exceeded", 429), headers: { "Retry-After": String(seconds) } });

    it("cannot begin, says when it may, can be ended, and begins by itself then", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
      signedIn = true;
      instead["GET /v1/project"] = spent(86_669);
      await session.start();
      expect(state()).toEqual({ phase: "unreachable", ended: false, failure: "rate_limit_exceeded" });
      expect(session.failure?.retryAt).toBe(Date.now() + 86_669_000);
      await session.signOut();
      expect(state()).toEqual({ phase: "signIn", ended: false, failure: null });
      expect([asked.at(-1), asked.includes("listen"), session.spentUntil]).toEqual(["DELETE /console/session", false, null]);

      signedIn = true;
      await session.start();
      instead = {};
      await vi.advanceTimersByTimeAsync(86_669_000);
      expect(state()).toEqual({ phase: "ready", ended: false, failure: null });
    });

    it("stays where it could not be ended, without listening to what is refused", async () => {
      signedIn = true;
      instead = { "GET /v1/project": spent(60), "DELETE /console/session": refused("busy", 503) };
      await session.start();
      await expect(session.signOut()).rejects.toMatchObject({ code: "busy" });
      expect([session.phase, asked.includes("listen")]).toEqual(["unreachable", false]);
    });

    it("says so while it goes on, and asks for everything again once the key may call", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
      signedIn = true;
      await session.start();
      expect(session.spentUntil).toBeNull();
      instead["GET /v1/project"] = spent(30);
      await expect(session.call("project.get", {})).rejects.toMatchObject({ isSpent: true });
      expect(session.spentUntil).toBe(Date.now() + 30_000);
      const heard: unknown[] = [];
      const off = session.onChange((topics) => heard.push(topics));
      instead = {};
      await vi.advanceTimersByTimeAsync(29_000);
      expect(heard).toEqual([]);
      await vi.advanceTimersByTimeAsync(1_000);
      off();
      expect(heard).toEqual([null]);
      await session.call("project.get", {});
      expect(session.spentUntil).toBeNull();
    });
  });

  it("knows what its key may do", async () => {
    signedIn = true;
    instead["GET /console/session"] = { status: 200, body: { ...SIGNED_IN, scope: "read" } };
    await session.start();
    expect(session.scope).toBe("read");
  });
});
