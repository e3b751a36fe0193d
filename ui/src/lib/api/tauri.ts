import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Backend, ChangeListener, Notice, NoticeAccess } from "./backend";
import { failureFrom } from "./errors";
import type { OpName, Req, Res, Topic } from "./types";

/** Speaks to the engine in the same process. JSON crosses as text, so that no quantity is ever read as a number. */
export class TauriBackend implements Backend {
  readonly kind = "desktop";

  async call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>> {
    let answer: string;
    try {
      answer = await invoke<string>("rpc", { op, request: JSON.stringify(request) });
    } catch (thrown) {
      throw failureFrom(typeof thrown === "string" ? thrown : JSON.stringify(thrown), 0);
    }
    signal?.throwIfAborted();
    return JSON.parse(answer) as Res<O>;
  }

  listen(listener: ChangeListener): () => void {
    let stopped = false;
    let stop = () => {};
    listener.connection("connecting");
    listen<{ topics: Topic[] }>("weir://changes", (event) => listener.changed(event.payload.topics)).then(
      (unlisten) => {
        if (stopped) return unlisten();
        stop = unlisten;
        listener.connection("live");
      },
      () => listener.connection("down"),
    );
    return () => {
      stopped = true;
      stop();
    };
  }

  async notify({ title, body, address }: Notice): Promise<void> {
    await invoke("notify", { notice: { title, body, address } });
  }

  noticeAccess(): NoticeAccess {
    return "granted";
  }

  async askForNotices(): Promise<NoticeAccess> {
    return "granted";
  }
}

/** Hears where the window put a file that was saved; null when it could not. */
export function onSaved(heard: (path: string | null) => void): () => void {
  const stop = listen<string | null>("weir://saved", (event) => heard(event.payload));
  return () => void stop.then((unlisten) => unlisten());
}

/** Hears which address a notification that was chosen leads to. */
export function onOpen(heard: (address: string) => void): () => void {
  const stop = listen<string>("weir://open", (event) => heard(event.payload));
  return () => void stop.then((unlisten) => unlisten());
}

export function inDesktop(): boolean {
  return "__TAURI_INTERNALS__" in globalThis;
}
