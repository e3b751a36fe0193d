/**
 * Files on their way to the engine. They belong to the page and not to a screen: leaving the screen and coming back finds them
 * where they are.
 */
import { asFailure, UNREACHABLE, type ApiFailure } from "$lib/api/errors";
import type { Import, Mapping } from "$lib/api/types";
import { Pace } from "$lib/pace";
import { call } from "$lib/state/session.svelte";
import { recall, remember } from "$lib/state/storage";

/** Small enough for progress to be seen, far below what the engine takes at once. */
const PIECE = 2 * 1024 * 1024;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];

export class Upload {
  sent = $state(0);
  rate = $state<number | null>(null);
  leftMs = $state<number | null>(null);
  active = $state(false);
  failure = $state.raw<ApiFailure | null>(null);
  readonly #pace = new Pace();
  readonly #stop = new AbortController();

  constructor(
    readonly id: string,
    readonly file: File,
    from: number,
  ) {
    this.sent = from;
  }

  /** Sends what is left. Says so in `failure` when that does not work. */
  async send(): Promise<void> {
    if (this.active) return;
    const { signal } = this.#stop;
    this.active = true;
    this.failure = null;
    this.#mark();
    try {
      for (let tries = 0; this.sent < this.file.size && !signal.aborted; ) {
        try {
          const data = await base64(this.file.slice(this.sent, this.sent + PIECE));
          const { uploaded } = await call("imports.upload", { id: this.id, offset: this.sent, data }, signal);
          this.sent = uploaded;
          this.#mark();
          tries = 0;
        } catch (thrown) {
          const failure = asFailure(thrown);
          const passing = failure.code === UNREACHABLE || failure.status === 503 || failure.status === 504;
          if (signal.aborted || !passing || tries >= RETRY_MS.length) throw failure;
          await new Promise((done) => setTimeout(done, RETRY_MS[tries++]));
          // An answer may have been lost although its piece arrived.
          this.sent = (await call("imports.get", { id: this.id }, signal)).uploaded;
        }
      }
    } catch (thrown) {
      if (!signal.aborted) this.failure = asFailure(thrown);
    } finally {
      this.active = false;
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  #mark(): void {
    this.#pace.mark(this.sent, performance.now());
    this.rate = this.#pace.rate;
    this.leftMs = this.#pace.left(this.file.size - this.sent);
  }
}

class Uploads {
  #byId = $state.raw<ReadonlyMap<string, Upload>>(new Map());
  /** The import last begun in this browser. */
  latest = $state<string | null>(recall<string | null>("import", null));
  /** Mappings changed by hand, kept while one looks elsewhere. */
  readonly mappings = new Map<string, Mapping>();

  of(id: string): Upload | undefined {
    return this.#byId.get(id);
  }

  /** Begins an import of the file and sends it. */
  async begin(file: File): Promise<Import> {
    const made = await call("imports.create", { fileName: file.name, size: file.size });
    this.latest = made.id;
    remember("import", made.id);
    this.resume(made, file);
    return made;
  }

  /** Goes on with an import whose file the page has lost. */
  resume(known: Import, file: File): void {
    const upload = new Upload(known.id, file, known.uploaded);
    this.#byId = new Map([...this.#byId, [known.id, upload]]);
    void upload.send();
  }

  /** The import is over, or given up. */
  forget(id: string): void {
    this.#byId.get(id)?.stop();
    this.#byId = new Map([...this.#byId].filter(([each]) => each !== id));
    this.mappings.delete(id);
    if (this.latest === id) {
      this.latest = null;
      remember("import", null);
    }
  }
}

export const uploads = new Uploads();

function base64(piece: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = reader.result as string;
      done(url.slice(url.indexOf(",") + 1));
    };
    reader.onerror = () => failed(reader.error ?? new Error("the file could not be read"));
    reader.readAsDataURL(piece);
  });
}
