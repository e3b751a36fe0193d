import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiFailure } from "$lib/api/errors";
import type { Topic } from "$lib/api/types";
import { live } from "./live.svelte";
import { paged } from "./paged.svelte";
import { session } from "./session.svelte";

type Pending = { op: string; request: Record<string, unknown>; signal: AbortSignal; answer(value: unknown): Promise<void>; fail(error: unknown): Promise<void> };

let asked: Pending[];
let heard: Set<(topics: readonly Topic[] | null) => void>;
let stops: (() => void)[];

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  flushSync();
};

beforeEach(() => {
  asked = [];
  heard = new Set();
  stops = [];
  vi.useFakeTimers();
  vi.spyOn(session, "call").mockImplementation(((op: string, request: Record<string, unknown>, signal: AbortSignal) => {
    return new Promise((resolve, reject) => {
      asked.push({
        op,
        request,
        signal,
        answer: (value) => (resolve(value), settle()),
        fail: (error) => (reject(error), settle()),
      });
    });
  }) as never);
  vi.spyOn(session, "onChange").mockImplementation((listener) => {
    heard.add(listener);
    return () => heard.delete(listener);
  });
});

afterEach(() => {
  for (const stop of stops) stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function mount<T>(make: () => T): T {
  let made!: T;
  stops.push(
    $effect.root(() => {
      made = make();
    }),
  );
  flushSync();
  return made;
}

const change = (...topics: Topic[]) => {
  for (const listener of heard) listener(topics);
};

const down = () => new ApiFailure({ code: "unreachable", message: "down" });

describe("a live query", () => {
  it("asks, shows, and asks again when its topic changes, keeping what it shows", async () => {
    const query = mount(() => live("customers.get", () => ({ id: "one" }), { topics: ["customers"] }));
    expect(query.loading).toBe(true);
    await asked[0]!.answer({ name: "A" });
    expect(query.data).toEqual({ name: "A" });
    expect(query.loading).toBe(false);

    change("meters");
    expect(asked).toHaveLength(1);
    change("customers");
    expect(asked).toHaveLength(2);
    expect(query.data).toEqual({ name: "A" });
    await asked[1]!.answer({ name: "B" });
    expect(query.data).toEqual({ name: "B" });
  });

  it("keeps the same object for the same answer, so that nothing is drawn again", async () => {
    const query = mount(() => live("customers.get", () => ({ id: "same" }), { topics: ["customers"] }));
    await asked[0]!.answer({ name: "A" });
    const first = query.data;
    change("customers");
    await asked[1]!.answer({ name: "A" });
    expect(query.data).toBe(first);
  });

  it("never has two requests under way, and asks once more for any number of changes meanwhile", async () => {
    mount(() => live("customers.get", () => ({ id: "burst" }), { topics: ["customers"] }));
    for (let i = 0; i < 50; i++) change("customers");
    expect(asked).toHaveLength(1);
    await asked[0]!.answer({});
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveLength(2);
  });

  it("drops the answer to a question no longer asked", async () => {
    let id = $state("first");
    const query = mount(() => live("customers.get", () => ({ id }), { topics: [] }));
    id = "second";
    flushSync();
    expect(asked.map((each) => each.request.id)).toEqual(["first", "second"]);
    expect(asked[0]!.signal.aborted).toBe(true);
    await asked[1]!.answer({ name: "second" });
    await asked[0]!.answer({ name: "first" });
    expect(query.data).toEqual({ name: "second" });
  });

  it("says when it could not renew, and recovers by itself", async () => {
    const query = mount(() => live("customers.get", () => ({ id: "flaky" }), { topics: ["customers"] }));
    await asked[0]!.answer({ name: "A" });
    change("customers");
    await asked[1]!.fail(down());
    expect(query.stale).toBe(true);
    expect(query.data).toEqual({ name: "A" });
    await vi.advanceTimersByTimeAsync(1_500);
    await asked[2]!.answer({ name: "B" });
    expect(query.stale).toBe(false);
    expect(query.data).toEqual({ name: "B" });
  });

  it("does not show one customer's data under another's name when the other fails", async () => {
    let id = $state("known");
    const query = mount(() => live("customers.get", () => ({ id }), { topics: [] }));
    await asked[0]!.answer({ name: "known" });
    id = "missing";
    flushSync();
    expect(query.outdated).toBe(true);
    await asked[1]!.fail(new ApiFailure({ code: "customer_not_found", message: "none", status: 404 }));
    expect(query.data).toBeUndefined();
    expect(query.failed?.code).toBe("customer_not_found");
  });

  it("asks nothing for null", async () => {
    const query = mount(() => live("customers.get", () => null, { topics: ["customers"] }));
    change("customers");
    expect(asked).toHaveLength(0);
    expect(query.data).toBeUndefined();
  });
});

describe("a paged list", () => {
  const page = (from: number, count: number, hasMore: boolean) => ({
    data: Array.from({ length: count }, (_, i) => ({ id: `row${from + i}` })),
    nextCursor: hasMore ? `after${from + count - 1}` : null,
    hasMore,
    total: 999,
  });
  const make = (name: string) =>
    mount(() => paged("customers.list", () => ({ query: name }), { topics: ["customers"], key: (row) => row.id, pageSize: 3 }));

  it("reads on as it is scrolled, past short and empty pages", async () => {
    const list = make("scroll");
    await asked[0]!.answer(page(0, 3, true));
    expect(list.rows).toHaveLength(3);
    list.show(0, 2);
    expect(asked[1]!.request.cursor).toBe("after2");
    await asked[1]!.answer({ ...page(3, 0, true), nextCursor: "further" });
    expect(asked[2]!.request.cursor).toBe("further");
    await asked[2]!.answer(page(3, 2, false));
    expect(list.rows.map((row) => row.id)).toEqual(["row0", "row1", "row2", "row3", "row4"]);
    expect(list.hasMore).toBe(false);
    list.show(0, 4);
    expect(asked).toHaveLength(3);
  });

  it("renews what is in view, and keeps what lies below when it still joins on", async () => {
    const list = make("renew");
    await asked[0]!.answer(page(0, 40, true));
    list.show(0, 20);
    await asked[1]!.answer(page(40, 40, true));
    list.show(0, 5);
    change("customers");
    expect(asked).toHaveLength(3);
    await asked[2]!.answer({ ...page(0, 40, true), data: [{ id: "new" }, ...page(0, 39, true).data] });
    expect(list.rows[0]!.id).toBe("new");
    expect(list.rows).toHaveLength(80);
  });

  it("finds what comes in after its last row while one reads further up", async () => {
    const list = make("grows below");
    await asked[0]!.answer(page(0, 40, true));
    list.show(0, 39);
    await asked[1]!.answer(page(40, 40, false));
    list.show(0, 5);
    change("customers");
    await asked[2]!.answer(page(0, 40, true));
    expect(asked[3]!.request.cursor).toBe("after39");
    await asked[3]!.answer(page(40, 41, true));
    expect([list.rows.length, list.hasMore]).toEqual([81, true]);
    list.show(40, 80);
    expect(asked[4]!.request.cursor).toBe("after80");
  });

  it("shows a row once that two pages hold", async () => {
    const list = make("overlap");
    await asked[0]!.answer(page(0, 3, true));
    list.show(0, 2);
    await asked[1]!.answer(page(2, 3, false));
    expect(list.rows.map((row) => row.id)).toEqual(["row0", "row1", "row2", "row3", "row4"]);
  });

  it("keeps its rows when a renewal fails", async () => {
    const list = make("fails");
    await asked[0]!.answer(page(0, 3, false));
    change("customers");
    await asked[1]!.fail(down());
    expect(list.rows).toHaveLength(3);
    expect(list.stale).toBe(true);
  });

  it("tells a table how many there are, and a drawer the way to the rows beside the one it shows", async () => {
    const words = { count: (_: number, text: string) => `${text} rows`, loaded: (text: string) => `${text} rows and more` };
    const list = make("told");
    expect(list.table(words)).toMatchObject({ rows: [], loading: true, count: undefined });
    await asked[0]!.answer(page(0, 3, true));
    expect(list.table(words)).toMatchObject({ loading: false, hasMore: true, count: "3 rows and more" });
    expect(list.table().count).toBeUndefined();

    const opened: string[] = [];
    const beside = (index: number) => list.beside(index, (row) => opened.push(row.id));
    expect([beside(-1), beside(0).onprevious, beside(2).onnext]).toEqual([{}, undefined, undefined]);
    beside(1).onprevious?.();
    beside(1).onnext?.();
    expect(opened).toEqual(["row0", "row2"]);
    await asked[1]!.answer(page(3, 1, false));
    expect(list.table(words).count).toBe("4 rows");
  });

  it("that is brief reads its first rows and no more", async () => {
    const list = mount(() => paged("customers.list", () => ({}), { topics: [], key: (row) => row.id, brief: 2 }));
    expect(asked[0]!.request.limit).toBe(2);
    await asked[0]!.answer(page(0, 2, true));
    list.beside(0, () => {}).onnext?.();
    expect(asked).toHaveLength(1);
    expect(Object.keys(list.table())).toEqual(["rows", "loading"]);
  });

  it("walks to the end for an export", async () => {
    const list = make("walk");
    await asked[0]!.answer(page(0, 3, true));
    const walked: string[] = [];
    const done = (async () => {
      for await (const rows of list.walk(new AbortController().signal)) walked.push(...rows.map((row) => row.id));
    })();
    await settle();
    await asked[1]!.answer(page(0, 3, true));
    await asked[2]!.answer(page(3, 1, false));
    await done;
    expect(walked).toEqual(["row0", "row1", "row2", "row3"]);
  });
});
