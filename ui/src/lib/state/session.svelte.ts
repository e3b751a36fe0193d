import type { Backend, Connection, Notice, NoticeAccess } from "$lib/api/backend";
import { ApiFailure, asFailure } from "$lib/api/errors";
import { HttpBackend, keyStore } from "$lib/api/http";
import { inDesktop, TauriBackend } from "$lib/api/tauri";
import type { OpName, Project, Req, Res, Topic } from "$lib/api/types";

export type Phase = "starting" | "signIn" | "unreachable" | "ready";

type Heard = (topics: readonly Topic[] | null) => void;

/** Who the console talks to, whether it may, and what it hears. */
class Session {
  phase = $state<Phase>("starting");
  connection = $state<Connection>("connecting");
  failure = $state.raw<ApiFailure | null>(null);
  project = $state.raw<Project | null>(null);
  readonly desktop = inDesktop();

  readonly #backend: Backend = this.desktop ? new TauriBackend() : new HttpBackend(location.origin, (f) => this.#refused(f));
  readonly #heard = new Set<Heard>();
  #stop = () => {};
  #missed = false;

  /** Asks the engine who it is; what it answers decides what the first screen is. */
  async start(): Promise<void> {
    this.#stop();
    if (!this.desktop && !keyStore.get()) {
      this.phase = "signIn";
      return;
    }
    this.phase = "starting";
    try {
      this.project = await this.#backend.call("project.get", {});
    } catch (thrown) {
      this.failure = asFailure(thrown);
      this.phase = this.failure.isAuth ? "signIn" : "unreachable";
      return;
    }
    this.failure = null;
    this.phase = "ready";
    this.#stop = this.#backend.listen({
      changed: (topics) => this.#tell(topics),
      connection: (state) => this.#connected(state),
    });
  }

  async signIn(key: string): Promise<void> {
    keyStore.set(key.trim());
    await this.start();
  }

  signOut(): void {
    this.#stop();
    keyStore.clear();
    this.failure = null;
    this.phase = "signIn";
  }

  call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
    return this.#backend.call(op, request, signal);
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

  #tell(topics: readonly Topic[] | null): void {
    if (topics === null || topics.includes("project")) void this.#refreshProject();
    for (const heard of this.#heard) heard(topics);
  }

  #connected(state: Connection): void {
    this.connection = state;
    if (state === "down") this.#missed = true;
    if (state === "live" && this.#missed) {
      this.#missed = false;
      this.#tell(null);
    }
  }

  async #refreshProject(): Promise<void> {
    try {
      this.project = await this.#backend.call("project.get", {});
    } catch (thrown) {
      // Still showing the last known name and zone; the connection's own state says that it may be old.
      this.failure = asFailure(thrown);
    }
  }

  #refused(failure: ApiFailure): void {
    this.#stop();
    keyStore.clear();
    this.failure = failure;
    this.phase = "signIn";
  }
}

export const session = new Session();

export function call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
  return session.call(op, request, signal);
}
