/** A list read page by page as it is scrolled, renewed in place when its topic changes. */
import { untrack } from "svelte";
import { asFailure, type ApiFailure } from "$lib/api/errors";
import type { OpName, Page, Req, Res, Topic } from "$lib/api/types";
import { formatCount } from "$lib/format/quantity";
import { keep, kept } from "./live.svelte";
import { session } from "./session.svelte";

type PagedOp = { [O in OpName]: Res<O> extends Page<unknown> ? O : never }[OpName];
type Row<O extends PagedOp> = Res<O>["data"][number];

interface Part<T> {
  cursor: string | null;
  data: T[];
  nextCursor: string | null;
  hasMore: boolean;
}

export interface PagedOptions<T> {
  topics: readonly Topic[];
  key: (row: T) => string;
  pageSize?: number;
  /** Only so many, the first ones: nothing is read after them, and nobody counts them. */
  brief?: number;
  /** While it says so, a change leaves the rows as they are, and `news` tells that there are newer ones. */
  hold?: () => boolean;
}

/** Beyond this many rows a change renews only what is near the window, not everything from the top. */
const CHAIN_PAGES = 5;

export class Paged<O extends PagedOp> {
  parts = $state.raw<Part<Row<O>>[]>([]);
  error = $state.raw<ApiFailure | null>(null);
  busy = $state(false);
  outdated = $state(false);
  /** Something changed while the rows were held. */
  news = $state(false);
  /** The whole first answer, for what lists say beside their rows (`total`). */
  first = $state.raw<Res<O> | undefined>(undefined);

  readonly rows: Row<O>[] = $derived.by(() => this.#flat());
  readonly hasMore = $derived(this.parts.at(-1)?.hasMore ?? false);
  readonly loading = $derived(this.parts.length === 0 && this.error === null);
  readonly stale = $derived(this.parts.length > 0 && this.error !== null);
  readonly failed = $derived(this.parts.length === 0 ? this.error : null);

  #window: [first: number, last: number] = [0, 0];
  #request: Req<O> | null = null;
  #cacheKey = "";
  #stop = new AbortController();
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly op: O,
    private readonly options: PagedOptions<Row<O>>,
  ) {}

  /** The table says which rows are on screen. */
  show = (first: number, last: number): void => {
    if (this.options.brief !== undefined) return;
    this.#window = [first, last];
    if (this.hasMore && last >= this.rows.length - 30) void this.more();
  };

  /** What its `Table` is told; in words also how many rows there are. */
  table(words?: { count: (count: number, text: string) => string; loaded: (text: string) => string }) {
    const { rows, loading, hasMore, show: onshow } = this;
    if (this.options.brief !== undefined) return { rows, loading };
    const text = formatCount(rows.length);
    const count = loading || !words ? undefined : hasMore ? words.loaded(text) : words.count(rows.length, text);
    return { rows, loading, hasMore, onshow, walk: (signal: AbortSignal) => this.walk(signal), count };
  }

  /** What a drawer that shows one row is told: the way to the rows beside it. */
  beside(index: number, open: (row: Row<O>) => void): { onprevious?: () => void; onnext?: () => void } {
    const previous = this.rows[index - 1];
    const next = index < 0 ? undefined : this.rows[index + 1];
    return {
      onprevious: previous && (() => open(previous)),
      onnext:
        next &&
        (() => {
          open(next);
          this.show(index, index + 1);
        }),
    };
  }

  /** @internal */
  changed(): void {
    if (this.options.hold?.()) this.news = true;
    else this.refetch();
  }

  refetch = (): void => {
    if (this.busy || document.hidden) {
      this.#again = true;
      return;
    }
    void this.#renew();
  };

  async more(): Promise<void> {
    const last = this.parts.at(-1);
    if (this.busy || !last?.hasMore || this.error) return;
    await this.#exclusive(async (signal) => {
      // A page may be short, even empty, although more follows.
      for (let next = last.nextCursor, gained = 0; gained === 0; ) {
        const { part } = await this.#ask(next, signal);
        this.parts = [...this.parts, part];
        gained = part.data.length;
        next = part.nextCursor;
        if (!part.hasMore) break;
      }
    });
  }

  /** Every row that the request answers, walked to the end: for exports. */
  async *walk(signal: AbortSignal): AsyncGenerator<Row<O>[]> {
    if (!this.#request) return;
    const request = this.#request;
    for (let cursor: string | null = null; ; ) {
      const page = (await session.call(this.op, this.#withCursor(request, cursor), signal)) as Res<O>;
      yield page.data as Row<O>[];
      if (!page.hasMore) return;
      cursor = page.nextCursor;
    }
  }

  /** @internal */
  start(request: Req<O>, cacheKey: string): void {
    this.stop();
    this.#stop = new AbortController();
    this.#request = request;
    this.#cacheKey = cacheKey;
    const known = kept<{ parts: Part<Row<O>>[]; first: Res<O> | undefined }>(cacheKey);
    if (known) {
      this.parts = known.parts;
      this.first = known.first;
    }
    this.outdated = !known && this.parts.length > 0;
    this.news = false;
    this.#window = known ? this.#window : [0, 0];
    void this.#renew();
  }

  /** @internal */
  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.busy = false;
    this.#again = false;
    if (this.#cacheKey && !this.outdated && this.parts.length > 0) keep(this.#cacheKey, { parts: this.parts, first: this.first });
  }

  /** @internal */
  shown = (): void => {
    if (!document.hidden && this.#again) this.refetch();
  };

  async #renew(): Promise<void> {
    this.news = false;
    await this.#exclusive(async (signal) => {
      const old = this.outdated ? [] : this.parts;
      const [from, to] = this.#pagesShown(old);
      if (from >= CHAIN_PAGES) {
        const renewed = [...old];
        for (let i = from; i <= to; i++) renewed[i] = (await this.#ask(old[i]!.cursor, signal)).part;
        this.parts = to < old.length - 1 ? await this.#withEnd(renewed, signal) : renewed;
      } else {
        const renewed: Part<Row<O>>[] = [];
        let first: Res<O> | undefined;
        for (let cursor: string | null = null; ; ) {
          const { part, answer } = await this.#ask(cursor, signal);
          first ??= answer;
          renewed.push(part);
          cursor = part.nextCursor;
          if (!part.hasMore || (renewed.length > to && renewed.some((p) => p.data.length > 0))) break;
        }
        // What lies further down stays when it still joins on; else it is read again when scrolled to.
        const joins = renewed.at(-1)!.hasMore && old[renewed.length]?.cursor === renewed.at(-1)!.nextCursor;
        this.parts = joins ? await this.#withEnd([...renewed, ...old.slice(renewed.length)], signal) : renewed;
        this.first = first;
      }
      this.outdated = false;
    });
  }

  /** What is new may have come in after the last row: a page that was the last one is asked again, or nothing would go on from it. */
  async #withEnd(parts: Part<Row<O>>[], signal: AbortSignal): Promise<Part<Row<O>>[]> {
    const end = parts.at(-1)!;
    return end.hasMore ? parts : [...parts.slice(0, -1), (await this.#ask(end.cursor, signal)).part];
  }

  #pagesShown(parts: Part<Row<O>>[]): [number, number] {
    let [first, last, start] = [0, 0, 0];
    for (const [i, part] of parts.entries()) {
      if (start <= this.#window[0]) first = i;
      if (start <= this.#window[1]) last = i;
      start += part.data.length;
    }
    return [first, last];
  }

  async #ask(cursor: string | null, signal: AbortSignal): Promise<{ part: Part<Row<O>>; answer: Res<O> }> {
    const answer = (await session.call(this.op, this.#withCursor(this.#request!, cursor), signal)) as Res<O>;
    signal.throwIfAborted();
    const page = answer as unknown as Page<Row<O>>;
    return { part: { cursor, data: page.data, nextCursor: page.nextCursor, hasMore: page.hasMore }, answer };
  }

  #withCursor(request: Req<O>, cursor: string | null): Req<O> {
    const paged = { limit: this.options.brief ?? this.options.pageSize ?? 100, ...request };
    return cursor === null ? paged : { ...paged, cursor };
  }

  async #exclusive(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    this.busy = true;
    this.#again = false;
    const began = performance.now();
    try {
      await work(signal);
      if (!signal.aborted) this.error = null;
    } catch (thrown) {
      if (!signal.aborted) {
        this.error = asFailure(thrown);
        if (this.outdated) {
          this.parts = [];
          this.outdated = false;
        }
      }
    } finally {
      if (!signal.aborted) {
        this.busy = false;
        if (this.#again) {
          clearTimeout(this.#timer);
          this.#timer = setTimeout(this.refetch, Math.max(250, (performance.now() - began) * 3));
        }
      }
    }
  }

  /** Pages renewed at different moments may overlap by a row; each shows once. */
  #flat(): Row<O>[] {
    const seen = new Set<string>();
    const rows: Row<O>[] = [];
    for (const part of this.parts) {
      for (const row of part.data as Row<O>[]) {
        const key = this.options.key(row);
        if (seen.has(key)) continue;
        seen.add(key);
        rows.push(row);
      }
    }
    return rows;
  }
}

/** Must be called while a component is set up. `request` (without limit and cursor) is tracked; null asks nothing. */
export function paged<O extends PagedOp>(op: O, request: () => Req<O> | null, options: PagedOptions<Row<O>>): Paged<O> {
  const list = new Paged(op, options);
  const asked = $derived.by(() => {
    const wanted = request();
    return wanted === null ? null : JSON.stringify(wanted);
  });

  $effect(() => {
    const key = asked;
    if (key === null) return;
    untrack(() => list.start(JSON.parse(key) as Req<O>, `${op} pages ${key}`));
    const off = session.onChange((topics) => {
      if (topics === null || topics.some((topic) => options.topics.includes(topic))) untrack(() => list.changed());
    });
    document.addEventListener("visibilitychange", list.shown);
    return () => {
      off();
      document.removeEventListener("visibilitychange", list.shown);
      untrack(() => list.stop());
    };
  });

  return list;
}
