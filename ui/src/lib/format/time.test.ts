import { describe, expect, it } from "vitest";
import * as t from "./time";

const at = (text: string) => t.millis(text);

describe("times", () => {
  it("read the microseconds of the wire", () => {
    expect(at("2023-11-16T18:17:03.979960Z")).toBe(Date.UTC(2023, 10, 16, 18, 17, 3, 979));
    expect(() => t.millis("yesterday")).toThrow(RangeError);
  });

  it("say how long ago, cut and not rounded", () => {
    const now = at("2024-03-01T12:00:00Z");
    const ago = (ms: number) => t.formatRelative(now - ms, now, true);
    expect(ago(0)).toBe("now");
    expect(ago(59_000)).toBe("59 seconds ago");
    expect(ago(119 * 60_000)).toBe("1 hour ago");
    expect(ago(400 * t.span.DAY)).toBe("last year");
    expect(t.formatRelative(now + 3 * t.span.HOUR, now, true)).toBe("in 3 hours");
  });

  it("count down", () => {
    expect(t.formatDuration(5 * t.span.DAY)).toBe("5d");
    expect(t.formatDuration(26 * t.span.HOUR)).toBe("1d 2h");
    expect(t.formatDuration(3 * t.span.HOUR + 60_000)).toBe("3h 1m");
    expect(t.formatDuration(61_500)).toBe("1m 1s");
    expect(t.formatDuration(-5)).toBe("0s");
  });

  it("show one instant in any zone", () => {
    const ms = at("2023-11-16T23:30:00Z");
    expect(t.formatInstant(ms, "Asia/Kathmandu", "minute")).toBe("Nov 17, 2023, 05:15");
    expect(t.formatInstant(ms, "America/Los_Angeles", "second")).toBe("Nov 16, 2023, 15:30:00");
    expect(t.formatInstant(ms, "No/Such", "minute", true)).toBe("Nov 16, 2023, 23:30 UTC");
  });

  it("leave this year unsaid in windows of whole days, and no other", () => {
    const [from, to] = [at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")];
    const w = (from: number, to: number, now: number) => t.formatWindow(from, to, "UTC", now).replaceAll("\u2009", " ");
    expect(w(from, to, from)).toBe("Nov 1 – 30");
    expect(w(from, to, at("2027-01-01T00:00:00Z"))).toBe("Nov 1 – 30, 2026");
    expect(w(at("2026-12-01T00:00:00Z"), at("2027-01-15T00:00:00Z"), from)).toBe("Dec 1, 2026 – Jan 14, 2027");
  });

  it("name a deadline by its weekday, and by its year where that is another", () => {
    const now = at("2026-11-21T18:00:00Z");
    expect(t.formatDeadline(at("2026-11-27T18:00:00Z"), now, "UTC")).toBe("Friday, Nov 27, 18:00");
    // In Kathmandu the year is over earlier.
    expect(t.formatDeadline(at("2026-12-31T18:30:00Z"), now, "UTC")).toBe("Thursday, Dec 31, 18:30");
    expect(t.formatDeadline(at("2026-12-31T18:30:00Z"), now, "Asia/Kathmandu")).toBe("Friday, Jan 1, 2027, 00:15");
  });

  it("name windows of whole days by their days", () => {
    const [from, to] = [at("2026-10-31T18:15:00Z"), at("2026-11-30T18:15:00Z")];
    expect(t.formatWindow(from, to, "Asia/Kathmandu").replaceAll("\u2009", " ")).toBe("Nov 1 – 30, 2026");
    expect(t.formatWindow(at("2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z"), "UTC")).toBe("Nov 21, 2026");
    expect(t.formatWindow(at("2026-11-21T12:00:00Z"), at("2026-11-21T13:00:00Z"), "UTC").replaceAll("\u2009", " ")).toBe(
      "Nov 21, 2026, 12:00 – 13:00",
    );
  });

  it("offer every zone once, by the name in use today", () => {
    const zones = t.allZones();
    expect(zones[0]).toBe("UTC");
    expect(new Set(zones).size).toBe(zones.length);
    expect(zones).toContain("Asia/Kathmandu");
    expect(zones).toContain("Asia/Kolkata");
    expect(zones).not.toContain("Asia/Calcutta");
    for (const zone of zones) expect(t.knownZone(zone)).toBe(zone);
  });

  it("cross between wall clock and instant, also around daylight saving", () => {
    for (const zone of ["UTC", "Australia/Lord_Howe", "America/Los_Angeles", "Asia/Kathmandu"]) {
      for (const text of ["2024-03-10T12:00:00Z", "2024-11-03T20:15:00Z", "2024-06-30T23:59:00Z"]) {
        const ms = at(text);
        expect(t.fromLocal(t.localMillis(ms, zone), zone), `${zone} ${text}`).toBe(ms);
      }
    }
    expect(t.fromField(t.toField(at("2023-11-16T18:17:00Z"), "Asia/Kathmandu"), "Asia/Kathmandu")).toBe(at("2023-11-16T18:17:00Z"));
    expect(t.fromField("", "UTC")).toBeNull();
  });
});

describe("a moment ahead", () => {
  const now = Date.parse("2026-03-10T20:00:00Z");
  it("is a weekday while that is clear, and a date beyond", () => {
    expect(t.formatAhead(now + 2 * t.span.DAY, now, "UTC")).toBe("Thu 20:00");
    expect(t.formatAhead(now + 2 * t.span.DAY, now, "Asia/Tokyo")).toBe("Fri 05:00");
    expect(t.formatAhead(now + 6 * t.span.DAY, now, "UTC")).toBe("Mar 16");
    expect(t.formatAhead(now + 300 * t.span.DAY, now, "UTC")).toBe("Jan 4, 2027");
  });
});

describe("the start of a day", () => {
  it("is the zone's own midnight, and the first instant where there is none", () => {
    const at = (text: string, zone: string) => new Date(t.startOfDay(Date.parse(text), zone)).toISOString();
    expect(at("2026-03-05T12:00:00Z", "UTC")).toBe("2026-03-05T00:00:00.000Z");
    expect(at("2026-03-05T18:20:00Z", "Asia/Kathmandu")).toBe("2026-03-05T18:15:00.000Z");
    expect(at("2026-03-05T18:10:00Z", "Asia/Kathmandu")).toBe("2026-03-04T18:15:00.000Z");
    // The clock goes on at midnight: that day begins at one.
    expect(at("2018-11-04T12:00:00Z", "America/Sao_Paulo")).toBe("2018-11-04T03:00:00.000Z");
  });
});
