/**
 * Live answers: what a screen shows, kept true. A `live` query asks when its request changes and when a topic it depends on
 * changed, drops outdated answers, and keeps showing the last good one while a new one is on its way or has failed.
 */
import { untrack } from "svelte";
import { asFailure, UNREACHABLE, type ApiFailure } from "$lib/api/errors";
import type { OpName, Req, Res, Topic } from "$lib/api/types";
import { session } from "./session.svelte";

const RETRY_MS = [1_000, 3_000, 10_000, 30_000];

/** The last answers, so that going back paints at once. */
const recent = new Map<string, unknown>();
const RECENT = 60;

export function keep(key: string, value: unknown): void {
  recent.delete(key);
  recent.set(key, value);
  if (recent.size > RECENT) recent.delete(recent.keys().next().value!);
}

export function kept<T>(key: string): T | undefined {
  return recent.get(key) as T | undefined;
}

export interface LiveOptions {
  /** What, when it changes, makes the answer old. */
  topics: readonly Topic[];
}

export class Live<T> {
  data = $state.raw<T | undefined>(undefined);
  error = $state.raw<ApiFailure | null>(null);
  /** A request is under way. */
  busy = $state(false);
  /** The data answers an earlier request than the one now asked. */
  outdated = $state(false);

  /** Nothing to show yet: draw the skeleton. */
  readonly loading = $derived(this.data === undefined && this.error === null);
  /** Something to show, but the newest try to renew it failed. */
  readonly stale = $derived(this.data !== undefined && this.error !== null);
  /** Nothing to show, and why. */
  readonly failed = $derived(this.data === undefined ? this.error : null);

  refetch: () => void = () => {};
}

/**
 * Must be called while a component is set up. `request` is tracked; null asks nothing (and shows nothing).
 */
export function live<O extends OpName>(op: O, request: () => Req<O> | null, options: LiveOptions): Live<Res<O>> {
  return gather(op, request, (asked, signal) => session.call(op, asked, signal), options);
}

/** The same of an answer that takes several calls. The name and what is asked tell it from others. */
export function gather<A, T>(name: string, request: () => A | null, ask: (asked: A, signal: AbortSignal) => Promise<T>, options: LiveOptions): Live<T> {
  const state = new Live<T>();
  const asked = $derived.by(() => {
    const wanted = request();
    return wanted === null ? null : JSON.stringify(wanted);
  });

  $effect(() => {
    const key = asked;
    if (key === null) {
      untrack(() => Object.assign(state, { data: undefined, error: null, busy: false, outdated: false }));
      return;
    }
    const runner = untrack(() => new Runner((signal) => ask(JSON.parse(key) as A, signal), `${name} ${key}`, state));
    state.refetch = () => runner.poke();
    const off = session.onChange((topics) => {
      if (topics === null || topics.some((topic) => options.topics.includes(topic))) runner.poke();
    });
    return () => {
      off();
      runner.stop();
    };
  });

  return state;
}

/** Asks one request again and again, one at a time, and never faster than a quarter of the time it costs. */
class Runner<T> {
  #stop = new AbortController();
  #running = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #shown = () => {
    if (!document.hidden && this.#again) this.poke();
  };

  constructor(
    private readonly ask: (signal: AbortSignal) => Promise<T>,
    private readonly key: string,
    private readonly state: Live<T>,
  ) {
    const known = kept<T>(key);
    if (known !== undefined) state.data = known;
    state.outdated = known === undefined && state.data !== undefined;
    document.addEventListener("visibilitychange", this.#shown);
    void this.#run();
  }

  /** What is shown may be old. */
  poke(): void {
    if (this.#running || document.hidden) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    void this.#run();
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#shown);
    this.state.busy = false;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    this.#running = true;
    this.#again = false;
    this.state.busy = true;
    const began = performance.now();
    try {
      const answer = await this.ask(signal);
      if (signal.aborted) return;
      this.#failures = 0;
      const { state } = this;
      // The same answer keeps the same object, so nothing on screen is drawn again.
      if (state.data === undefined || JSON.stringify(state.data) !== JSON.stringify(answer)) state.data = answer;
      state.error = null;
      state.outdated = false;
      keep(this.key, state.data);
    } catch (thrown) {
      if (signal.aborted) return;
      const failure = asFailure(thrown);
      this.state.error = failure;
      if (this.state.outdated) {
        // An answer to another question must not stand under this one's name.
        this.state.data = undefined;
        this.state.outdated = false;
      }
      if (failure.code === UNREACHABLE || failure.status === 503 || failure.status === 504) {
        const wait = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)]!;
        this.#timer = setTimeout(() => this.poke(), failure.retryAfter === null ? wait : failure.retryAfter * 1_000);
      }
    } finally {
      this.#running = false;
      if (!signal.aborted) {
        this.state.busy = false;
        if (this.#again && !document.hidden) {
          clearTimeout(this.#timer);
          this.#timer = setTimeout(() => this.poke(), Math.max(150, (performance.now() - began) * 3));
        }
      }
    }
  }
}
