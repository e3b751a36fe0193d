import type { Backend, Connection, Notice, NoticeAccess } from "$lib/api/backend";
import { type ApiFailure, asFailure } from "$lib/api/errors";
import { HttpBackend } from "$lib/api/http";
import { inDesktop, TauriBackend } from "$lib/api/tauri";
import type { OpName, Project, Req, Res, Scope, Topic } from "$lib/api/types";

export type Phase = "starting" | "signIn" | "unreachable" | "ready";

/** Longer than a timer can wait: none is asked to. */
const LONGEST_MS = 2 ** 31 - 1;
/** How long a key without calls waits where nobody says so. */
const PAUSE_MS = 60_000;

type Heard = (topics: readonly Topic[] | null) => void;

/** Who the console talks to, whether it may, and what it hears. */
class Session {
  phase = $state<Phase>("starting");
  connection = $state<Connection>("connecting");
  failure = $state.raw<ApiFailure | null>(null);
  /** Whether one was signed in here, and is no longer without having asked for it. */
  ended = $state(false);
  project = $state.raw<Project | null>(null);
  /** Until when the key that is signed in may call no more, as it has made all the calls it may; null while it may. */
  spentUntil = $state<number | null>(null);
  /** What the key that is signed in may do; the window may do everything. */
  scope = $state<Scope>("manage");
  readonly mayManage = $derived(this.scope === "manage");
  readonly desktop = inDesktop();

  /** Signs in and out. The window is its own user's, and needs neither. */
  readonly #http = this.desktop ? null : new HttpBackend(
        location.origin,
        () => this.#refused(),
        (failure) => this.#spent(failure),
      );
  readonly #backend: Backend = this.#http ?? new TauriBackend();
  readonly #heard = new Set<Heard>();
  #stop = () => {};
  #missed = false;
  #wake: ReturnType<typeof setTimeout> | undefined;

  /** Asks the engine who it is; what it answers decides what the first screen is. */
  async start(): Promise<void> {
    this.#stop();
    this.phase = "starting";
    try {
      if (this.#http) {
        const signedIn = await this.#http.session();
        if (!signedIn) return this.#leave(false);
        this.scope = signedIn.scope;
      }
      this.project = await this.#backend.call("project.get", {});
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.isAuth) return this.#leave(true);
      this.failure = failure;
      this.phase = "unreachable";
      return;
    }
    this.failure = null;
    this.spentUntil = null;
    this.phase = "ready";
    this.#listen();
  }

  /** Signs in with a key, which is forgotten once it is sent. */
  async signIn(key: string): Promise<void> {
    this.ended = false;
    try {
      await this.#http?.signIn(key.trim());
    } catch (thrown) {
      this.failure = asFailure(thrown);
      return;
    }
    await this.start();
  }

  /** Signs out. A failure leaves one signed in, as only the server can end a session. */
  async signOut(): Promise<void> {
    // The stream ends with the session, which is no news then.
    this.#stop();
    try {
      await this.#http?.signOut();
    } catch (thrown) {
      this.#missed = true;
      if (this.phase === "ready") this.#listen();
      throw thrown;
    }
    this.#leave(false);
  }

  async call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
    const answer = await this.#backend.call(op, request, signal);
    this.spentUntil = null;
    return answer;
  }

  notify(notice: Notice): Promise<void> {
    return this.#backend.notify(notice);
  }

  noticeAccess(): NoticeAccess {
    return this.#backend.noticeAccess();
  }

  askForNotices(): Promise<NoticeAccess> {
    return this.#backend.askForNotices();
  }

  /** Hears each change's topics, or null when changes may have been missed and everything is in doubt. */
  onChange(heard: Heard): () => void {
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  #listen(): void {
    this.#stop = this.#backend.listen({
      changed: (topics) => this.#tell(topics),
      connection: (state) => this.#connected(state),
    });
  }

  #tell(topics: readonly Topic[] | null): void {
    if (topics === null || topics.includes("project")) void this.#refreshProject();
    for (const heard of this.#heard) heard(topics);
  }

  #connected(state: Connection): void {
    this.connection = state;
    if (state === "down" || state === "spent") this.#missed = true;
    if (state !== "live") return;
    this.spentUntil = null;
    if (!this.#missed) return;
    this.#missed = false;
    this.#tell(null);
  }

  async #refreshProject(): Promise<void> {
    try {
      this.project = await this.#backend.call("project.get", {});
    } catch (thrown) {
      // Still showing the last known name and zone; the connection's own state says that it may be old.
      this.failure = asFailure(thrown);
    }
  }

  /** A call was refused as nobody's: signed out in another tab, or the session or its key has ended. */
  #refused(): void {
    if (this.phase === "ready") this.#leave(true);
  }

  /** A call was refused as one too many. What was asked for is asked for again once the key may call. */
  #spent(failure: ApiFailure): void {
    this.spentUntil = failure.retryAt ?? Date.now() + PAUSE_MS;
    clearTimeout(this.#wake);
    this.#wake = setTimeout(
      () => (this.phase === "unreachable" ? void this.start() : this.#tell(null)),
      Math.min(this.spentUntil - Date.now(), LONGEST_MS),
    );
  }

  #leave(ended: boolean): void {
    this.#stop();
    clearTimeout(this.#wake);
    this.spentUntil = null;
    this.failure = null;
    this.ended = ended;
    this.phase = "signIn";
  }
}

export const session = new Session();

export function call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
  return session.call(op, request, signal);
}
