import { describe, expect, it } from "vitest";
import { ApiFailure } from "$lib/api/errors";
import type { Delivery, DeliveryAttempt, Webhook } from "$lib/api/types";
import { changes, draftOf, emptyDraft, read, reverse, wrong } from "./draft";
import { pretty } from "./payload";
import { answerOf, byState, faultOf, moreOf, saidOf, stateOf, waitOf, wentWell } from "./words";

const webhook: Webhook = {
  id: "whk_1",
  projectId: "prj_1",
  url: "https://example.com/hooks",
  description: null,
  eventTypes: null,
  allowPrivate: false,
  enabled: true,
  disabledAt: null,
  failuresInARow: 0,
  waiting: 0,
  lastAttempt: null,
  oldSecretUntil: null,
  createdAt: "2026-05-01T00:00:00Z",
  updatedAt: "2026-05-01T00:00:00Z",
  archivedAt: null,
};

const attempt = (more: Partial<DeliveryAttempt>): DeliveryAttempt => ({
  at: "2026-05-01T00:00:00Z",
  durationMs: 12,
  status: null,
  error: null,
  requestHeaders: {},
  responseBody: null,
  ...more,
});

const delivery = (more: Partial<Delivery>): Delivery => ({
  id: "whd_1",
  projectId: webhook.projectId,
  webhookId: webhook.id,
  messageId: "msg_1",
  eventType: "ping",
  state: "waiting",
  payload: {},
  attempts: [],
  nextAttemptAt: "2026-05-01T00:00:00Z",
  createdAt: "2026-05-01T00:00:00Z",
  endedAt: null,
  ...more,
});

describe("a webhook", () => {
  it("is on, failing, off, disabled or archived", () => {
    const when = "2026-05-02T00:00:00Z";
    expect(stateOf(webhook)).toBe("on");
    expect(stateOf({ ...webhook, failuresInARow: 3 })).toBe("failing");
    expect(stateOf({ ...webhook, enabled: false })).toBe("off");
    expect(stateOf({ ...webhook, enabled: false, disabledAt: when, failuresInARow: 20 })).toBe("disabled");
    expect(stateOf({ ...webhook, enabled: false, archivedAt: when })).toBe("archived");
  });

  it("comes before those that want less looking after", () => {
    const when = "2026-05-02T00:00:00Z";
    const all: Webhook[] = [
      { ...webhook, id: "archived", archivedAt: when },
      { ...webhook, id: "on" },
      { ...webhook, id: "off", enabled: false },
      { ...webhook, id: "failing once", failuresInARow: 1 },
      { ...webhook, id: "failing much", failuresInARow: 9 },
      { ...webhook, id: "disabled", enabled: false, disabledAt: when },
    ];
    expect(all.sort(byState).map((each) => each.id)).toEqual(["disabled", "failing much", "failing once", "off", "on", "archived"]);
  });

  it("is sent as it is written, and of a change only what differs", () => {
    expect(read({ ...emptyDraft, url: " https://a.example " })).toEqual({ url: "https://a.example", description: null, eventTypes: null, allowPrivate: false });
    const draft = draftOf(webhook);
    expect(changes(draft, webhook)).toEqual({});
    const change = changes({ ...draft, description: "Billing", everything: false, types: ["ping"] }, webhook);
    expect(change).toEqual({ description: "Billing", eventTypes: ["ping"] });
    expect(reverse(change, webhook)).toEqual({ description: null, eventTypes: null });
    const some: Webhook = { ...webhook, eventTypes: ["balance.low", "limit.exceeded"] };
    expect(changes({ ...draftOf(some), types: ["limit.exceeded", "balance.low"] }, some)).toEqual({});
    // None at all is sent as such: the server says that it must name one.
    expect(changes({ ...draftOf(some), types: [] }, some)).toEqual({ eventTypes: [] });
  });
});

describe("an address that is refused", () => {
  const refused = (message: string) => wrong(new ApiFailure({ code: "invalid_field_value", message, status: 400, details: { field: "url" } }));

  it("as private is to be allowed by the form’s own box", () => {
    expect(refused("`url` lies on this machine or in a private network; say `allowPrivate` if that is meant").url).toMatch(/Tick the box below/);
    expect(refused("`url` must not name port 0").url).toBe("“url” must not name port 0");
    expect(wrong(null)).toEqual({});
  });
});

describe("an attempt", () => {
  it("goes well by its status, unless something is said against it", () => {
    expect([attempt({ status: 204 }), attempt({ status: 302 }), attempt({ status: 200, error: "the answer is too long" }), attempt({ error: "refused" })].map(wentWell)).toEqual(
      [true, false, false, false],
    );
  });

  it("is said by its status, and by what went wrong once", () => {
    expect(answerOf(attempt({ status: 500, error: "answered with 500" }))).toBe("500");
    expect(answerOf(attempt({ error: "connection refused" }))).toBe("No answer");
    expect(faultOf(attempt({ error: "connection refused" }))).toBe("connection refused");
    expect(faultOf(attempt({ status: 500, error: "answered with 500" }))).toBe("answered with 500");
    expect(faultOf(attempt({ status: 302, error: "redirects are not followed" }))).toBe("302, redirects are not followed");
    expect(faultOf(attempt({ status: 500 }))).toBe("500");
    expect(moreOf(attempt({ status: 500, error: "it answered 500" }))).toBeNull();
    expect(moreOf(attempt({ status: 302, error: "redirects are not followed" }))).toBe("redirects are not followed");
    expect(moreOf(attempt({ error: "connection refused" }))).toBe("connection refused");
    expect(moreOf(attempt({ status: 200 }))).toBeNull();
  });
});

describe("a delivery", () => {
  const now = Date.parse("2026-05-01T00:00:10Z");

  it("waits for its time, for messages before it, or for the webhook", () => {
    expect(waitOf(delivery({}), webhook, now)).toBe("due");
    const failed = { attempts: [attempt({ status: 500 })] };
    expect(waitOf(delivery({ ...failed, nextAttemptAt: "2026-05-01T00:00:15Z" }), webhook, now)).toBe("retry");
    expect(waitOf(delivery({ ...failed, nextAttemptAt: "2026-05-01T00:00:05Z" }), webhook, now)).toBe("due");
    expect(waitOf(delivery({ nextAttemptAt: null }), webhook, now)).toBe("behind");
    expect(waitOf(delivery({ nextAttemptAt: null }), { ...webhook, enabled: false }, now)).toBe("stopped");
    expect(waitOf(delivery({ nextAttemptAt: null }), undefined, now)).toBe("behind");
  });

  it("says how it stands", () => {
    const said = (more: Partial<Delivery>) => saidOf(delivery(more), webhook, now);
    expect(said({})).toBe("Waiting for the answer…");
    expect(said({ attempts: [attempt({ error: "connection refused" })], nextAttemptAt: "2026-05-01T00:01:00Z" })).toBe("Not delivered yet: connection refused");
    expect(said({ state: "delivered", attempts: [attempt({ status: 500 }), attempt({ status: 200 })], nextAttemptAt: null })).toBe("It answered 200 in 12 ms.");
    expect(said({ state: "failed", attempts: [attempt({ status: 503 })], nextAttemptAt: null })).toBe("Tried for three days: 503");
    expect(said({ nextAttemptAt: null })).toBe("Waits for messages before it: they are told in order.");
  });
});

describe("a payload", () => {
  it("is read as it is sent: numbers bare with every digit, texts that look like numbers in quotes", () => {
    const payload = {
      id: "msg_1",
      data: {
        customerId: "42",
        limit: "100000000000000000000.000000000000000001",
        percentage: "99.97",
        unit: null,
        limitName: "limit",
        meters: [{ meterId: "mtr_1", value: "0.1" }],
        limits: [],
        none: {},
        remaining: "much",
        yes: true,
      },
    };
    expect(pretty(payload)).toBe(`{
  "id": "msg_1",
  "data": {
    "customerId": "42",
    "limit": 100000000000000000000.000000000000000001,
    "percentage": 99.97,
    "unit": null,
    "limitName": "limit",
    "meters": [
      {
        "meterId": "mtr_1",
        "value": 0.1
      }
    ],
    "limits": [],
    "none": {},
    "remaining": "much",
    "yes": true
  }
}`);
  });
});
