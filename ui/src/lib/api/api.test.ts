import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiFailure, asFailure, failureFrom, fieldErrors, UNREACHABLE, UNREADABLE } from "./errors";
import { HttpBackend } from "./http";
import { httpRequest } from "./routes";
import { EventParser } from "./sse";
import type { Topic } from "./types";

describe("operations over HTTP", () => {
  it("put ids into the path and the rest where the method wants it", () => {
    expect(httpRequest("customers.get", { id: "a/b ü?" })).toEqual({
      method: "GET",
      path: "/customers/a%2Fb%20%C3%BC%3F",
      body: null,
    });
    expect(httpRequest("meters.query", { id: "mtr_1", groupBy: ["model"] })).toEqual({
      method: "POST",
      path: "/meters/mtr_1/query",
      body: '{"groupBy":["model"]}',
    });
    expect(httpRequest("customers.archive", { id: "x" })).toEqual({ method: "DELETE", path: "/customers/x", body: null });
  });

  it("leave out what is not given and name each dimension", () => {
    const { path } = httpRequest("events.list", { customerId: "a&b", from: undefined, dimensions: { model: "gpt-4" }, limit: 5 });
    expect(new URLSearchParams(path.split("?")[1]).toString()).toBe(
      new URLSearchParams([
        ["customerId", "a&b"],
        ["dimensions[model]", "gpt-4"],
        ["limit", "5"],
      ]).toString(),
    );
  });

  it("keep null in a body, where it clears a field", () => {
    expect(httpRequest("customers.update", { id: "x", name: null }).body).toBe('{"name":null}');
  });

  it("refuse to send without the id that the path needs", () => {
    expect(() => httpRequest("customers.get", {})).toThrow(TypeError);
  });
});

describe("failures", () => {
  it("are read from both envelopes", () => {
    const inner = { code: "customer_not_found", message: "No such customer", status: 404, requestId: "r1" };
    for (const text of [JSON.stringify({ error: inner }), JSON.stringify(inner)]) {
      expect(failureFrom(text, 404)).toMatchObject({ code: "customer_not_found", isNotFound: true, requestId: "r1" });
    }
  });

  it("say so when the answer is no error of ours", () => {
    expect(failureFrom("<html>bad gateway</html>", 502)).toMatchObject({ code: UNREADABLE, status: 502 });
    expect(failureFrom("null", 500).code).toBe(UNREADABLE);
    expect(asFailure(new TypeError("network down"))).toMatchObject({ code: UNREACHABLE, message: "network down" });
  });

  it("quote names as a reader knows it", () => {
    const errors = [{ field: "meterId", code: "invalid", message: "must not stand beside `meter`" }];
    const failure = failureFrom(JSON.stringify({ error: { code: "invalid", message: "there is no meter `mtr_1`", details: { errors, more: 1 } } }), 400);
    expect(failure.message).toBe("there is no meter “mtr_1”");
    expect(fieldErrors(failure)).toEqual({ meterId: "must not stand beside “meter”" });
    expect(failure.details.more).toBe(1);
  });

  it("name their fields, nested ones also by their first part", () => {
    const one = new ApiFailure({ code: "invalid_field_value", message: "too long", details: { field: "name" } });
    expect(fieldErrors(one)).toEqual({ name: "too long" });
    const many = new ApiFailure({
      code: "invalid_request",
      message: "two faults",
      details: {
        errors: [
          { field: "eventFilter.dimensions[0]", code: "invalid_field_value", message: "empty" },
          { field: "unit", code: "invalid_field_value", message: "too long" },
        ],
      },
    });
    expect(fieldErrors(many)).toEqual({ "eventFilter.dimensions[0]": "empty", eventFilter: "empty", unit: "too long" });
    expect(fieldErrors(null)).toEqual({});
  });
});

describe("the event stream", () => {
  it("is read however it is cut", () => {
    const text = ": hello\r\n\r\nevent: change\r\ndata: {\"topics\":\r\ndata: [\"events\"]}\r\n\r\nevent: change\ndata: 2\n\ndata: unfinished";
    for (let size = 1; size < 9; size++) {
      const parser = new EventParser();
      const found = [];
      for (let i = 0; i < text.length; i += size) found.push(...parser.push(text.slice(i, i + size)));
      expect(found, `pieces of ${size}`).toEqual([
        { event: "change", data: '{"topics":\n["events"]}' },
        { event: "change", data: "2" },
      ]);
    }
  });
});

describe("the HTTP backend", () => {
  let requests: Request[];
  let credentials: (RequestCredentials | undefined)[];
  let answer: (request: Request) => Response;

  beforeEach(() => {
    requests = [];
    credentials = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      const request = new Request(url, { ...init, credentials: undefined, cache: undefined });
      requests.push(request);
      credentials.push(init.credentials);
      return answer(request);
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  const refusal = (code: string, status: number) =>
    new Response(JSON.stringify({ error: { code, message: code, status, requestId: "r" } }), { status });

  it("lets the browser say who asks, asks for quantities as text and answers them untouched", async () => {
    answer = () => new Response('{"used":"999999999999999999.999999999"}');
    const backend = new HttpBackend("http://weir.test/", () => {});
    const result = await backend.call("customers.standing", { id: "acme" });
    expect(result).toEqual({ used: "999999999999999999.999999999" });
    expect(requests[0]!.url).toBe("http://weir.test/v1/customers/acme/standing");
    expect(requests[0]!.headers.get("Authorization")).toBeNull();
    expect(credentials).toEqual(["same-origin"]);
    expect(requests[0]!.headers.get("Accept")).toBe("application/json; quantities=string");
  });

  it("sends a key to sign in and keeps it nowhere", async () => {
    const shown = { keyName: "console", scope: "manage", expiresAt: "2026-03-17T12:00:00Z" };
    answer = () => new Response(JSON.stringify(shown), { status: 201 });
    const backend = new HttpBackend("http://weir.test", () => {});
    expect(await backend.signIn("weir_sk_test")).toEqual(shown);
    expect([requests[0]!.method, requests[0]!.url]).toEqual(["POST", "http://weir.test/console/session"]);
    expect(requests[0]!.headers.get("Authorization")).toBe("Bearer weir_sk_test");
    await backend.call("project.get", {});
    expect(await backend.session()).toEqual(shown);
    await backend.signOut();
    expect(requests.slice(1).map((request) => [request.method, request.headers.get("Authorization")])).toEqual([
      ["GET", null],
      ["GET", null],
      ["DELETE", null],
    ]);
    expect(new Set(credentials)).toEqual(new Set(["same-origin"]));
    expect([sessionStorage.length, localStorage.length]).toEqual([0, 0]);
  });

  it("tells nobody signed in from a session that has ended, and reports neither", async () => {
    const refused = vi.fn();
    const backend = new HttpBackend("http://weir.test", refused);
    answer = () => refusal("missing_api_key", 401);
    expect(await backend.session()).toBeNull();
    answer = () => refusal("expired_api_key", 401);
    await expect(backend.session()).rejects.toMatchObject({ code: "expired_api_key", isAuth: true });
    answer = () => refusal("invalid_api_key", 401);
    await expect(backend.signIn("weir_sk_wrong")).rejects.toMatchObject({ code: "invalid_api_key" });
    expect(refused).not.toHaveBeenCalled();
  });

  it("sends nothing that cannot be a key", async () => {
    const backend = new HttpBackend("http://weir.test", () => {});
    for (const key of ["", "weir sk", "weir_sk_\u00e9", "weir_sk_\n"]) {
      await expect(backend.signIn(key)).rejects.toMatchObject({ code: "invalid_api_key" });
    }
    expect(requests).toEqual([]);
  });

  it("reports a session that has ended once and throws it", async () => {
    answer = () => refusal("expired_api_key", 401);
    const refused = vi.fn();
    const backend = new HttpBackend("http://weir.test", refused);
    await expect(backend.call("project.get", {})).rejects.toMatchObject({ code: "expired_api_key" });
    expect(refused).toHaveBeenCalledOnce();
  });

  it("passes on how long to wait", async () => {
    answer = () => new Response('{"error":{"code":"busy","message":"busy","status":503,"requestId":"r"}}', { status: 503, headers: { "Retry-After": "2" } });
    await expect(new HttpBackend("http://weir.test", () => {}).call("status.get", {})).rejects.toMatchObject({ code: "busy", retryAfter: 2 });
  });

  it("tells of changes, and of a stream that ends", async () => {
    let calls = 0;
    answer = () =>
      calls++ === 0
        ? new Response('event: change\ndata: {"topics":["events","meters"]}\n\n')
        : new Response('{"error":{"code":"invalid_api_key","message":"no","status":401,"requestId":"r"}}', { status: 401 });
    vi.useFakeTimers();
    try {
      const heard: (readonly Topic[])[] = [];
      const states: string[] = [];
      const refused = vi.fn();
      new HttpBackend("http://weir.test", refused).listen({ changed: (topics) => heard.push(topics), connection: (state) => states.push(state) });
      await vi.waitFor(() => expect(states).toEqual(["connecting", "live", "down"]));
      expect(heard).toEqual([["events", "meters"]]);
      await vi.runAllTimersAsync();
      await vi.waitFor(() => expect(refused).toHaveBeenCalledOnce());
    } finally {
      vi.useRealTimers();
    }
  });

  it("does not take a stream that is refused to a key without calls for a lost connection, and waits as it is told", async () => {
    let calls = 0;
    answer = () => {
      calls++;
      return new Response('{"error":{"code":"rate_limit_exceeded","message":"no","status":429,"requestId":"r"}}', { status: 429, headers: { "Retry-After": "7" } });
    };
    vi.useFakeTimers();
    try {
      const states: string[] = [];
      const spent = vi.fn();
      const stop = new HttpBackend("http://weir.test", () => {}, spent).listen({ changed: () => {}, connection: (state) => states.push(state) });
      await vi.waitFor(() => expect(states).toEqual(["connecting", "spent"]));
      expect(spent.mock.calls).toMatchObject([[{ code: "rate_limit_exceeded", retryAfter: 7 }]]);
      await vi.advanceTimersByTimeAsync(6_900);
      expect(calls).toBe(1);
      await vi.advanceTimersByTimeAsync(200);
      expect(calls).toBe(2);
      stop();
    } finally {
      vi.useRealTimers();
    }
  });
});
