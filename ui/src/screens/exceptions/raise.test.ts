import { describe, expect, it } from "vitest";
import type { Q, Standing } from "$lib/api/types";
import { toTime } from "$lib/format/time";
import { effectOf, endOf, presets, readValue } from "./raise";

const Q = (text: string) => text as Q;
const at = (text: string) => Date.parse(text);
const spaced = (text: string) => text.replace(/\s/g, " ");

const standing = (more: Partial<Standing> = {}): Standing =>
  ({
    limitId: "lim_1",
    name: "Daily tokens",
    unit: "tokens",
    period: "day",
    enforcement: "hard",
    limit: Q("100"),
    used: Q("97"),
    held: Q("0"),
    remaining: Q("3"),
    raised: null,
    ...more,
  }) as Standing;

describe("the ends to choose from", () => {
  const zone = "Asia/Kathmandu"; // 5:45 ahead of UTC
  const ends = (now: string, window: string | null) =>
    presets(at(now), zone, window === null ? null : at(window)).map((each) => `${each.id} ${toTime(each.at)}`);

  it("are cut by the customer's clock", () => {
    // A Saturday, 23:18 in Kathmandu.
    expect(ends("2026-11-21T17:33:20Z", "2026-11-21T18:15:00Z")).toEqual([
      "window 2026-11-21T18:15:00.000Z",
      "friday 2026-11-27T12:15:00.000Z",
      "week 2026-11-22T18:15:00.000Z",
      "seven 2026-11-28T17:33:00.000Z",
    ]);
  });

  it("are next week's where this week's are over, to the minute", () => {
    const friday = (now: string) => ends(now, null).find((each) => each.startsWith("friday"));
    expect(friday("2026-11-27T12:14:59Z")).toBe("friday 2026-11-27T12:15:00.000Z");
    expect(friday("2026-11-27T12:15:00Z")).toBe("friday 2026-12-04T12:15:00.000Z");
    // Monday, 00:00: the week that just began ends in seven days.
    expect(ends("2026-11-22T18:15:00Z", null).find((each) => each.startsWith("week"))).toBe("week 2026-11-29T18:15:00.000Z");
  });

  it("are not said twice: a week's window ends with the week", () => {
    expect(ends("2026-11-21T17:33:20Z", "2026-11-22T18:15:00Z").map((each) => each.split(" ")[0])).toEqual(["window", "friday", "seven"]);
  });
});

describe("a new value", () => {
  it("is a number, or how much more than at present", () => {
    expect(readValue("150", Q("100"))).toBe("150");
    expect(readValue(" +10,000.5 ", Q("100"))).toBe("10100.5");
    expect(readValue("+", Q("100"))).toBeNull();
    expect(readValue("many", Q("100"))).toBeNull();
  });
});

describe("what a raise will do", () => {
  const now = at("2026-11-21T17:33:20Z");
  const friday = at("2026-11-27T18:00:00Z");

  it("is said with its end, what comes back, and what is left", () => {
    expect(effectOf(standing(), "Acme", Q("150"), friday, "UTC", now)!.map(spaced)).toEqual([
      "Acme may use 150 tokens per day instead of 100 until Friday, Nov 27, 18:00; then 100 is back.",
      "Used so far: 97. That leaves 53 instead of 3.",
    ]);
  });

  it("counts from the limit's own value where it is raised already, and says what it replaces", () => {
    const raised = standing({ limit: Q("120"), remaining: Q("23"), raised: { ownValue: Q("100"), until: "2027-01-01T00:00:00Z", note: "n" } as never });
    const said = effectOf(raised, "Acme", Q("150"), friday, "UTC", now)!.map(spaced);
    expect(said[0]).toContain("instead of 100");
    expect(said[2]).toBe("It takes the place of the raise to 120 until Friday, Jan 1, 2027, 00:00.");
    expect(effectOf(raised, "Acme", Q("100"), friday, "UTC", now)!.map(spaced)).toEqual(["Enter more than 100 tokens, the limit’s own value."]);
  });

  it("is not made up where value or end is missing or past", () => {
    expect(effectOf(standing(), "Acme", null, friday, "UTC", now)).toBeNull();
    expect(effectOf(standing(), "Acme", Q("150"), null, "UTC", now)).toBeNull();
    expect(effectOf(standing(), "Acme", Q("150"), now, "UTC", now)).toBeNull();
  });

  it("leaves nothing rather than less than nothing", () => {
    const over = standing({ used: Q("130"), held: Q("30"), remaining: Q("0") });
    expect(effectOf(over, "Acme", Q("150"), friday, "UTC", now)![1]).toBe("Used so far: 130. That leaves 0 instead of 0.");
  });
});

describe("taking a raise back", () => {
  const raised = { ownValue: Q("100"), until: "2026-11-27T18:00:00Z", note: "n" } as never;

  it("warns where more was used than the limit's own value", () => {
    expect(spaced(endOf(standing({ limit: Q("150"), used: Q("99"), raised }), "Acme"))).toBe("Acme may use 100 tokens per day again, at once.");
    expect(spaced(endOf(standing({ limit: Q("150"), used: Q("100"), raised }), "Acme"))).toBe(
      "Acme may use 100 tokens per day again, at once. It has used 100, so it is refused from then on.",
    );
    expect(spaced(endOf(standing({ limit: Q("150"), used: Q("120"), enforcement: "soft", raised }), "Acme"))).toBe(
      "Acme is reported beyond 100 tokens per day again, at once.",
    );
  });
});
