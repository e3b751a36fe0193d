import type { Backend, ChangeListener, Notice, NoticeAccess } from "./backend";
import { ApiFailure, asFailure, failureFrom, UNREADABLE } from "./errors";
import { httpRequest } from "./routes";
import { EventParser } from "./sse";
import type { OpName, Req, Res, Scope, Topic } from "./types";

const SESSION = "/console/session";
const ACCEPT = "application/json; quantities=string";

/** A silent change stream is taken for dead after this long; the server sends a comment more often. */
const SILENCE_MS = 45_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000];
/** A key that has made all its calls may be given more before its time. */
const SPENT_RETRY_MS = 60_000;

/** Who is signed in. What the browser is known by is in a cookie that no page can read, this one included. */
export interface SignedIn {
  keyName: string;
  scope: Scope;
  expiresAt: string;
}

export class HttpBackend implements Backend {
  readonly kind = "http";
  readonly #base: string;
  readonly #onUnauthorised: () => void;
  readonly #onSpent: (failure: ApiFailure) => void;

  /** Who is refused as nobody, although signed in before, is told so; and so is who has made all calls that the key may make. */
  constructor(base: string, onUnauthorised: () => void, onSpent: (failure: ApiFailure) => void = () => {}) {
    this.#base = base.replace(/\/$/, "");
    this.#onUnauthorised = onUnauthorised;
    this.#onSpent = onSpent;
  }

  /** Who is signed in, or null where nobody is. A session that has ended is a failure, told to nobody else. */
  async session(): Promise<SignedIn | null> {
    try {
      return await this.#door<SignedIn>("GET");
    } catch (thrown) {
      if (asFailure(thrown).code === "missing_api_key") return null;
      throw thrown;
    }
  }

  /** Signs the browser in. The key is sent this once and not kept. */
  async signIn(key: string): Promise<SignedIn> {
    // Anything else cannot stand in a header, and is no key.
    if (!/^[!-~]+$/.test(key)) throw new ApiFailure({ code: "invalid_api_key", message: "not a key", status: 401 });
    return this.#door<SignedIn>("POST", { Authorization: `Bearer ${key}` });
  }

  /** Signs every tab of the browser out. */
  async signOut(): Promise<void> {
    await this.#door("DELETE");
  }

  async #door<T>(method: string, headers: HeadersInit = {}): Promise<T> {
    const response = await this.#fetch(SESSION, { method, headers });
    const text = await response.text();
    if (!response.ok) throw failureOf(text, response);
    return read<T>(text, SESSION, response);
  }

  async call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
    const { method, path, body } = httpRequest(op, request);
    const headers = new Headers({ Accept: ACCEPT });
    if (body !== null) headers.set("Content-Type", "application/json");
    const response = await this.#fetch(`/v1${path}`, { method, headers, body, signal: signal ?? null });
    const text = await response.text();
    if (!response.ok) throw this.#refused(text, response);
    return read<Res<O>>(text, op, response);
  }

  listen(listener: ChangeListener): () => void {
    const stop = new AbortController();
    void this.#follow(listener, stop.signal);
    return () => stop.abort();
  }

  async notify(notice: Notice): Promise<void> {
    if (this.noticeAccess() !== "granted") throw new Error("the browser does not allow notifications");
    const shown = new Notification(notice.title, { body: notice.body, tag: notice.id });
    shown.onclick = () => {
      window.focus();
      location.hash = notice.address;
      shown.close();
    };
  }

  noticeAccess(): NoticeAccess {
    if (!("Notification" in globalThis) || !isSecureContext) return "unavailable";
    return Notification.permission === "default" ? "ask" : Notification.permission;
  }

  async askForNotices(): Promise<NoticeAccess> {
    if (this.noticeAccess() === "ask") await Notification.requestPermission();
    return this.noticeAccess();
  }

  /** Reads the change stream for as long as it is wanted, and reconnects with growing pauses. */
  async #follow(listener: ChangeListener, stop: AbortSignal): Promise<void> {
    listener.connection("connecting");
    for (let attempt = 0; !stop.aborted; attempt++) {
      const connection = new AbortController();
      const end = () => connection.abort();
      stop.addEventListener("abort", end, { once: true });
      let timer = setTimeout(end, SILENCE_MS);
      let spent: ApiFailure | null = null;
      try {
        const response = await this.#fetch("/v1/changes", { headers: { Accept: "text/event-stream" }, signal: connection.signal });
        if (!response.ok || !response.body) throw this.#refused(await response.text(), response);
        listener.connection("live");
        attempt = 0;
        const parser = new EventParser();
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          clearTimeout(timer);
          timer = setTimeout(end, SILENCE_MS);
          for (const event of parser.push(value)) {
            if (event.event === "change") listener.changed((JSON.parse(event.data) as { topics: Topic[] }).topics);
          }
        }
      } catch (thrown) {
        // A session that has ended has been reported and ends it; a key without calls has to wait; anything else is a lost connection.
        const failure = asFailure(thrown);
        if (failure.isAuth) return;
        if (failure.isSpent) spent = failure;
      } finally {
        clearTimeout(timer);
        stop.removeEventListener("abort", end);
      }
      if (stop.aborted) return;
      listener.connection(spent ? "spent" : "down");
      const wait = spent ? Math.min((spent.retryAfter ?? Infinity) * 1_000, SPENT_RETRY_MS) : RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!;
      await pause(wait, stop);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#base}${path}`, { ...init, cache: "no-store", credentials: "same-origin" });
    } catch (thrown) {
      if (init.signal?.aborted) throw thrown;
      throw asFailure(thrown);
    }
  }

  #refused(text: string, response: Response): ApiFailure {
    const failure = failureOf(text, response);
    if (failure.isAuth) this.#onUnauthorised();
    if (failure.isSpent) this.#onSpent(failure);
    return failure;
  }
}

function failureOf(text: string, response: Response): ApiFailure {
  const wait = Number(response.headers.get("Retry-After"));
  return failureFrom(text, response.status, Number.isFinite(wait) && wait > 0 ? wait : null);
}

function read<T>(text: string, what: string, response: Response): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiFailure({ code: UNREADABLE, message: `${what}: the answer is not JSON`, status: response.status });
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}
