import type { OpName, Req, Res, Topic } from "./types";

/** How fresh what is on screen can be: `live` hears of every change, `down` may have missed some, and so may `spent`: the key has made all the calls it may for now. */
export type Connection = "connecting" | "live" | "down" | "spent";

export interface ChangeListener {
  changed(topics: readonly Topic[]): void;
  /** After `down` or `spent`, `live` means: changes may have been missed, so everything shown should be asked for again. */
  connection(state: Connection): void;
}

/** Something the operator is told outside of the console. */
export interface Notice {
  /** Where the same is told twice, the second takes the place of the first. */
  id: string;
  title: string;
  body: string;
  /** The console's address that choosing it leads to. */
  address: string;
}

/** Whether notices can be shown: at once, after the operator allowed it, not since it was forbidden, or not at all. */
export type NoticeAccess = "granted" | "ask" | "denied" | "unavailable";

/** The one way to the engine. Screens know this interface and never how it is carried. */
export interface Backend {
  readonly kind: "desktop" | "http";
  call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>>;
  /** Listens to changes until the answered function is called. */
  listen(listener: ChangeListener): () => void;
  /** Shows a notice of the system. A failure is for the log: nothing depends on it. */
  notify(notice: Notice): Promise<void>;
  noticeAccess(): NoticeAccess;
  /** Asks the operator to allow notices; only in answer to a press. */
  askForNotices(): Promise<NoticeAccess>;
}
