import type { OpName, Req, Res, Topic } from "./types";

/** How fresh what is on screen can be: `live` hears of every change, `down` may have missed some. */
export type Connection = "connecting" | "live" | "down";

export interface ChangeListener {
  changed(topics: readonly Topic[]): void;
  /** After `down`, `live` means: changes may have been missed, so everything shown should be asked for again. */
  connection(state: Connection): void;
}

/** The one way to the engine. Screens know this interface and never how it is carried. */
export interface Backend {
  readonly kind: "desktop" | "http";
  call<O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal): Promise<Res<O>>;
  /** Listens to changes until the answered function is called. */
  listen(listener: ChangeListener): () => void;
}
