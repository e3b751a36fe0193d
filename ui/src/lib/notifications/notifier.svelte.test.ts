import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Notice } from "$lib/api/backend";
import type { Alert, Req, Topic } from "$lib/api/types";
import { millis } from "$lib/format/time";
import { Notifier, type Around } from "./notifier.svelte";

/** An engine with alerts, and an operator who hears. */
class Stage {
  alerts: Alert[] = [];
  told: Notice[] = [];
  asked: Req<"alerts.list">[] = [];
  broken = false;
  #heard = new Set<(topics: readonly Topic[] | null) => void>();

  constructor(readonly project: string) {}

  readonly around: Around = {
    project: () => this.project,
    alerts: async (request) => {
      this.asked.push(request);
      const from = request.from ? millis(request.from) : 0;
      const found = this.alerts.filter((each) => each.state === request.state && millis(each.createdAt) >= from);
      return { data: found.slice(0, request.limit), hasMore: found.length > request.limit!, nextCursor: null };
    },
    notify: async (notice) => {
      if (this.broken) throw new Error("no such service");
      this.told.push(notice);
    },
    onChange: (heard) => {
      this.#heard.add(heard);
      return () => this.#heard.delete(heard);
    },
    now: () => new Date(),
  };

  /** An alert is raised, and the console hears of it. */
  raise(id: string, threshold = 80, customerId = "acme") {
    const limit = { threshold, name: "Daily", used: "82", value: "100", unit: null, period: "day" };
    const more = { customerId, limit, balance: null, state: "open" };
    this.alerts.unshift({ id, createdAt: new Date().toISOString(), ...more } as unknown as Alert);
    vi.setSystemTime(Date.now() + 10);
    this.change(["alerts"]);
  }

  change(topics: Topic[] | null) {
    for (const heard of this.#heard) heard(topics);
  }

  get titles() {
    return this.told.map((notice) => notice.title);
  }
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe("the notifier", () => {
  let stage: Stage;
  let stop = () => {};
  let projects = 0;

  const begin = (on = true) => {
    const notifier = new Notifier(stage.around, on);
    stop = notifier.start();
    return notifier;
  };

  beforeEach(() => {
    localStorage.clear();
    vi.useFakeTimers();
    vi.setSystemTime(new Date(2026, 2, 10, 12, 0));
    stage = new Stage(`prj_${projects++}`);
  });
  afterEach(() => {
    stop();
    new Notifier(stage.around, true).choose({ on: true, onlyFull: false, quiet: { on: false, from: "22:00", to: "07:00" } });
    vi.useRealTimers();
  });

  it("tells of each new alert once, across restarts, and of none that was there before", async () => {
    stage.raise("old");
    begin();
    await settle();
    expect(stage.told).toEqual([]);
    stage.raise("a");
    await settle();
    stage.change(["alerts"]);
    stage.change(null);
    await settle();
    expect(stage.titles).toEqual(["acme crossed 80% of Daily"]);
    stop();
    stage.raise("b", 100);
    await settle();
    expect(stage.told).toHaveLength(1);
    begin();
    await settle();
    expect(stage.titles).toEqual(["acme crossed 80% of Daily", "acme crossed 100% of Daily"]);
    // It asks for what is new alone.
    expect(stage.asked.at(-1)!.from).toBeDefined();
  });

  it("does not look where something else changed", async () => {
    begin();
    await settle();
    const before = stage.asked.length;
    stage.change(["events", "standings"]);
    await settle();
    expect(stage.asked).toHaveLength(before);
  });

  it("keeps what comes in quiet hours until they are over, and tells it as one", async () => {
    const notifier = begin();
    await settle();
    notifier.choose({ quiet: { on: true, from: "11:30", to: "13:00" } });
    for (const id of ["a", "b", "c", "d"]) stage.raise(id, 80, id);
    await settle();
    expect(stage.told).toEqual([]);
    await vi.advanceTimersByTimeAsync(59 * 60_000);
    expect(stage.told).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stage.told.map((notice) => [notice.title, notice.address])).toEqual([["4 new alerts", "#/alerts"]]);
  });

  it("leaves lower thresholds untold where only full limits are wanted, and does not catch up on them", async () => {
    const notifier = begin();
    notifier.choose({ onlyFull: true });
    await settle();
    stage.raise("a", 80);
    await settle();
    stage.raise("b", 100);
    await settle();
    expect(stage.titles).toEqual(["acme crossed 100% of Daily"]);
    notifier.choose({ onlyFull: false });
    await settle();
    expect(stage.told).toHaveLength(1);
  });

  it("says nothing while off, nor afterwards of what came meanwhile", async () => {
    const notifier = begin();
    notifier.choose({ on: false });
    await settle();
    stage.raise("a");
    await settle();
    notifier.choose({ on: true });
    await settle();
    expect(stage.told).toEqual([]);
    stage.raise("b");
    await settle();
    expect(stage.told).toHaveLength(1);
  });

  it("goes on when a notification cannot be shown, and does not show it later", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    begin();
    await settle();
    stage.broken = true;
    stage.raise("a");
    await settle();
    expect(warned).toHaveBeenCalledOnce();
    stage.broken = false;
    stage.raise("b", 100);
    await settle();
    expect(stage.titles).toEqual(["acme crossed 100% of Daily"]);
    warned.mockRestore();
  });
});
