/** Tells the operator of new alerts outside of the console: once each, not in quiet hours, and as one where they are many. */
import type { Notice } from "$lib/api/backend";
import type { Req, Res, Topic } from "$lib/api/types";
import { toTime } from "$lib/format/time";
import { session } from "$lib/state/session.svelte";
import { recall, recallShared, remember } from "$lib/state/storage";
import { newsOf, noticesOf, type Told } from "./news";
import { isQuiet, quietEnds, type QuietHours } from "./quiet";

export interface NotificationSettings {
  on: boolean;
  quiet: QuietHours;
  /** Not of thresholds below the whole limit; low balances are told all the same. */
  onlyFull: boolean;
}

/** What the notifier stands on; the session, but in tests. */
export interface Around {
  /** Tells apart what was told of one project and of another. */
  project(): string | null;
  alerts(request: Req<"alerts.list">): Promise<Res<"alerts.list">>;
  notify(notice: Notice): Promise<void>;
  onChange(heard: (topics: readonly Topic[] | null) => void): () => void;
  now(): Date;
}

const FULL = 100;

export class Notifier {
  settings = $state.raw<NotificationSettings>({
    on: false,
    quiet: { on: false, from: "22:00", to: "07:00" },
    onlyFull: false,
  });

  #busy = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly around: Around,
    /** Whether it tells before anybody chose. */
    on: boolean,
  ) {
    this.settings = recall<NotificationSettings>("notifications", { ...this.settings, on });
  }

  /** Looks at once, and whenever alerts change, until the answered function is called. */
  start(): () => void {
    const off = this.around.onChange((topics) => {
      if (topics === null || topics.includes("alerts")) void this.look();
    });
    void this.look();
    return () => {
      off();
      clearTimeout(this.#timer);
    };
  }

  choose(change: Partial<NotificationSettings>): void {
    // Who turns it on wants to hear of what comes, not of what was.
    if (change.on && !this.settings.on) this.#remember(null);
    this.settings = { ...this.settings, ...change };
    remember("notifications", this.settings);
    void this.look();
  }

  /** One look at a time; a change meanwhile asks for another. */
  async look(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      do {
        this.#again = false;
        await alone(() => this.#tell());
      } while (this.#again);
    } catch (thrown) {
      // The next change looks again, and the console itself says when the engine does not answer.
      console.warn("alerts were not looked at", thrown);
    } finally {
      this.#busy = false;
    }
  }

  async #tell(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.settings.on || this.around.project() === null) return;
    const now = this.around.now();
    if (isQuiet(this.settings.quiet, now)) {
      // What comes meanwhile is told when the quiet is over.
      this.#timer = setTimeout(() => void this.look(), quietEnds(this.settings.quiet, now).getTime() - now.getTime());
      return;
    }
    const before = recallShared<Told | null>(this.#key, null);
    const page = await this.around.alerts({ state: "open", limit: 100, ...(before && before.at > 0 ? { from: toTime(before.at) } : {}) });
    const { news, told } = newsOf(page.data, before);
    // First kept, then told: nobody is told twice, whatever happens between.
    this.#remember(told);
    const wanted = this.settings.onlyFull ? news.filter((alert) => !alert.limit || alert.limit.threshold >= FULL) : news;
    if (wanted.length === 0) return;
    for (const notice of noticesOf(wanted, page.hasMore && news.length === page.data.length)) {
      try {
        await this.around.notify(notice);
      } catch (thrown) {
        console.warn("a notification was not shown", thrown);
      }
    }
  }

  get #key(): string {
    return `told.${this.around.project()}`;
  }

  #remember(told: Told | null): void {
    if (this.around.project() !== null) remember(this.#key, told);
  }
}

/** Not in two windows of the same browser at once, where it can be had. */
async function alone(work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request("weir.notifications", work);
  else await work();
}

export const notifier = new Notifier(
  {
    project: () => session.project?.id ?? null,
    alerts: (request) => session.call("alerts.list", request),
    notify: (notice) => session.notify(notice),
    onChange: (heard) => session.onChange(heard),
    now: () => new Date(),
  },
  session.desktop,
);
