import type { Backend, ChangeListener, Notice, NoticeAccess } from "./backend";
import { ApiFailure, asFailure, failureFrom, UNREADABLE } from "./errors";
import { httpRequest } from "./routes";
import { EventParser } from "./sse";
import type { OpName, Req, Res, Topic } from "./types";

const KEY = "weir.key";
const ACCEPT = "application/json; quantities=string";

/** A silent change stream is taken for dead after this long; the server sends a comment more often. */
const SILENCE_MS = 45_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000];

/** Where the key lives: for this tab and this visit only. */
export const keyStore = {
  get: (): string | null => sessionStorage.getItem(KEY),
  set: (key: string): void => sessionStorage.setItem(KEY, key),
  clear: (): void => sessionStorage.removeItem(KEY),
};

export class HttpBackend implements Backend {
  readonly kind = "http";
  readonly #base: string;
  readonly #onUnauthorised: (failure: ApiFailure) => void;

  constructor(base: string, onUnauthorised: (failure: ApiFailure) => void) {
    this.#base = base.replace(/\/$/, "");
    this.#onUnauthorised = onUnauthorised;
  }

  async call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
    const { method, path, body } = httpRequest(op, request);
    const headers = this.#headers();
    if (body !== null) headers.set("Content-Type", "application/json");
    const response = await this.#fetch(path, { method, headers, body, signal: signal ?? null });
    const text = await response.text();
    if (!response.ok) throw this.#refused(text, response);
    try {
      return JSON.parse(text) as Res<O>;
    } catch {
      throw new ApiFailure({ code: UNREADABLE, message: `${op}: the answer is not JSON`, status: response.status });
    }
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
      try {
        const headers = this.#headers();
        headers.set("Accept", "text/event-stream");
        const response = await this.#fetch("/changes", { headers, signal: connection.signal });
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
        // A refused key has been reported and ends it; anything else is a lost connection, which is what `down` says.
        if (asFailure(thrown).isAuth) return;
      } finally {
        clearTimeout(timer);
        stop.removeEventListener("abort", end);
      }
      if (stop.aborted) return;
      listener.connection("down");
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!, stop);
    }
  }

  #headers(): Headers {
    const headers = new Headers({ Accept: ACCEPT });
    const key = keyStore.get();
    if (key) headers.set("Authorization", `Bearer ${key}`);
    return headers;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#base}/v1${path}`, { ...init, cache: "no-store", credentials: "omit" });
    } catch (thrown) {
      if (init.signal?.aborted) throw thrown;
      throw asFailure(thrown);
    }
  }

  #refused(text: string, response: Response): ApiFailure {
    const wait = Number(response.headers.get("Retry-After"));
    const failure = failureFrom(text, response.status, Number.isFinite(wait) && wait > 0 ? wait : null);
    if (failure.isAuth) this.#onUnauthorised(failure);
    return failure;
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}
