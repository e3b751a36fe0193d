import { describe, expect, it } from "vitest";
import type { Q } from "$lib/api/types";
import { byUse, firstUsed } from "./first-used";

const range = { from: "2026-03-01T00:00:00Z", to: "2026-03-02T00:00:00Z" };

describe("the meter that a chart opens on", () => {
  const used = (values: Record<string, Q | null>) => {
    const asked: string[] = [];
    const call = async (_op: string, request: { id: string }) => {
      asked.push(request.id);
      return { value: values[request.id] ?? null };
    };
    return { asked, call: call as unknown as Parameters<typeof firstUsed>[0] };
  };

  it("is the first with usage in the range", async () => {
    const { asked, call } = used({ b: "0" as Q, c: "0.5" as Q, d: "9" as Q });
    expect(await firstUsed(call, { ids: ["a", "b", "c", "d"], ...range })).toBe("c");
    expect(asked).toEqual(["a", "b", "c"]);
  });

  it("is none where none has any", async () => {
    expect(await firstUsed(used({}).call, { ids: ["a", "b"], ...range })).toBeNull();
  });

  it("is an operator's own before one that comes with Weir", () => {
    const meters = [
      { id: "1", builtIn: true },
      { id: "3", builtIn: false },
      { id: "2", builtIn: false },
    ];
    expect(meters.sort(byUse).map((each) => each.id)).toEqual(["2", "3", "1"]);
  });
});
