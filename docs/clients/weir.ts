/**
 * A small client of Weir, for servers: Node.js 20 or newer (or Deno, or Bun), no packages. Copy it beside your program.
 *
 * A call that gets no answer is repeated for `patience` seconds, under keys that let it count once; what happens then
 * is said by `whenDown` and `keepIn`. Quantities come as decimal strings, since a JavaScript number would round them.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

export type Quantity = string;
export type Values = Record<string, Quantity | number>; // numbers for whole ones: 0.1 + 0.2 is not 0.3
export type Asked = { customerId: string; eventType?: string; values?: Values; dimensions?: Record<string, string> };
/** With a key of your own, such as a job's id, any number of equal calls record one event. */
export type Event = Asked & { eventType: string; idempotencyKey?: string; timestamp?: Date | string };

export interface Limit {
  id: string; name: string; meterId: string; period: string;
  limit: Quantity; used: Quantity; held: Quantity; remaining: Quantity; exceeded: boolean;
  reset: number | null; // when the window ends, in Unix seconds
}

export interface Decision {
  allowed: boolean;
  known: boolean; // false: Weir did not answer, and it was `whenDown` that decided
  id?: string; // of the event tracked, or of the reservation
  limits: Limit[];
  reason?: string; // why not: limit_exceeded, customer_rate_limited
  retryAfter?: number | undefined;
  event: Asked;
}

export interface Options {
  whenDown: "allow" | "refuse"; // what check, track and reserve say when Weir does not answer
  url?: string; key?: string; // else from WEIR_URL and WEIR_KEY
  timeout?: number; patience?: number; // seconds for one attempt (2), and for a call with all of them (5)
  rest?: number; // seconds after a call in vain in which no other waits in vain (1)
  keepIn?: string; // a file for records that could not be sent; without one they are kept in memory
  keepAtMost?: number; resendEvery?: number; // 10,000 records; 5 seconds
}

type Fault = { code: string; message: string; requestId: string; details?: Refused["details"] };

/** Weir said no: a wrong field, key or scope, a conflict, a limit. Sending the same again would not help. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number | undefined;
  readonly details: { field?: string; limits?: Limit[] };
  constructor(status: number, fault: Fault, retryAfter: number | undefined) {
    super(`${status} ${fault.code}: ${fault.message} (${fault.requestId})`);
    [this.status, this.code, this.details, this.retryAfter] = [status, fault.code, fault.details ?? {}, retryAfter];
  }
}

/** Weir is away or too busy, or this key calls too often. Whether it did what was asked, nobody knows yet. */
export class NoAnswer extends Error {
  readonly retryAfter: number | undefined;
  constructor(why: unknown, retryAfter?: number) {
    super(`Weir does not answer: ${why}`);
    this.retryAfter = retryAfter;
  }
}

export class Weir {
  readonly #options: Required<Omit<Options, "keepIn">>;
  readonly #kept: Kept;
  #downUntil = 0;
  #resending: Promise<number> | undefined;

  constructor(options: Options) {
    const { WEIR_URL: url = "", WEIR_KEY: key = "" } = process.env;
    const usual = { url, key, timeout: 2, patience: 5, rest: 1, keepAtMost: 10_000, resendEvery: 5 };
    this.#options = { ...usual, ...options };
    if (!this.#options.url || !this.#options.key) throw new Error("where is Weir? set WEIR_URL and WEIR_KEY");
    this.#kept = new Kept(options.keepIn, this.#options.keepAtMost);
    const again = () => void this.resend().catch((error) => console.error("what is kept could not be sent:", error));
    setInterval(again, this.#options.resendEvery * 1000).unref(); // it keeps no program from ending
  }

  /** May this customer go on, or may this event happen? Consumes nothing. */
  check(asked: Asked): Promise<Decision> {
    return this.#decide("/limits/check", asked);
  }

  /** Records what happened: true if Weir has it, false if it is kept here to be sent again. */
  record(event: Event): Promise<boolean> {
    return this.#deliver("/events/record", keyed(event));
  }

  /** Records an event only if no limit refuses it, in one step. */
  async track(event: Event): Promise<Decision> {
    const decision = await this.#decide("/track", keyed(event));
    if (decision.allowed && !decision.known) this.#kept.add("/events/record", JSON.stringify(decision.event));
    return decision; // kept under the event's own key: never counted twice
  }

  /** Holds a share of the limits for work whose cost is known only afterwards; then `commit` or `release`. */
  reserve(event: Asked & { eventType: string; ttlSeconds?: number }): Promise<Decision> {
    return this.#decide("/reservations", event);
  }

  /** Records what the work came to: true if Weir has it, false if it is kept here to be sent again. */
  commit({ known, id, event }: Decision, values: Values): Promise<boolean> {
    if (known) return this.#deliver(`/reservations/${id}/commit`, { values });
    const { customerId, eventType = "", dimensions = {} } = event;
    return this.record({ customerId, eventType, dimensions, values });
  }

  /** Gives a share back at once. If nobody hears it, it ends by itself. */
  async release({ known, id }: Decision): Promise<void> {
    if (known) await this.#deliver(`/reservations/${id}/release`, {});
  }

  /** Any other operation, such as those of balances. */
  post<Answer>(path: string, body: object): Promise<Answer> {
    return this.#call("POST", path, JSON.stringify(body)) as Promise<Answer>;
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#call("GET", path) as Promise<Answer>;
  }

  /** Sends what is kept, oldest first: how many are left. It happens by itself, too. */
  resend(): Promise<number> {
    return (this.#resending ??= this.#resend().finally(() => (this.#resending = undefined)));
  }

  async #resend(): Promise<number> {
    let done = 0;
    try {
      for (const [path, body] of [...this.#kept.items]) {
        try {
          await this.#call("POST", path, body, true);
        } catch (error) {
          if (error instanceof NoAnswer) break;
          if (!(error instanceof Refused) || [401, 403].includes(error.status)) throw error; // the key's fault
          console.error("given up:", error.message, path, body);
        }
        done += 1;
      }
    } finally {
      if (done > 0) this.#kept.drop(done);
    }
    return this.#kept.items.length;
  }

  async #deliver(path: string, body: object): Promise<boolean> {
    try {
      await this.post(path, body);
      return true;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#kept.add(path, JSON.stringify(body));
      console.warn("kept to be sent again:", error.message);
      return false;
    }
  }

  async #decide(path: string, event: Asked): Promise<Decision> {
    try {
      const answer = await this.post<{ id?: string; allowed?: boolean; limits: Limit[] }>(path, event);
      return { allowed: true, known: true, ...answer, event };
    } catch (error) {
      const allowed = this.#options.whenDown === "allow";
      if (error instanceof NoAnswer) console.warn("decided without Weir:", error.message);
      if (error instanceof NoAnswer) return { allowed, known: false, limits: [], retryAfter: error.retryAfter, event };
      if (!(error instanceof Refused) || !/^(limit_exceeded|customer_rate_limited)$/.test(error.code)) throw error;
      const { retryAfter, code: reason, details } = error;
      return { allowed: false, known: true, limits: details.limits ?? [], reason, retryAfter, event };
    }
  }

  async #call(method: string, path: string, body?: string, rested = false): Promise<unknown> {
    const { url, key, timeout, patience, rest } = this.#options;
    const started = performance.now();
    const resting = (this.#downUntil - started) / 1000;
    if (resting > 0 && !rested) throw new NoAnswer("nor did it a moment ago", resting);
    const headers = {
      Authorization: `Bearer ${key}`,
      "Content-Type": "application/json",
      Accept: "application/json; quantities=string",
      "Idempotency-Key": crypto.randomUUID(), // one for all attempts
    };
    const end = started + patience * 1000;
    for (let pause = 100; ; pause = Math.min(2000, pause * 2)) {
      const signal = AbortSignal.timeout(Math.max(1, Math.ceil(Math.min(timeout * 1000, end - performance.now()))));
      try {
        return await once(`${url.replace(/\/+$/, "")}/v1${path}`, { method, headers, body: body ?? null, signal });
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        const wait = (error.retryAfter ?? 0) * 1000 + Math.random() * pause;
        if (performance.now() + wait >= end) {
          this.#downUntil = performance.now() + rest * 1000;
          throw error;
        }
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  }
}

async function once(url: string, request: RequestInit): Promise<unknown> {
  const lost = (why: unknown, retryAfter?: number): never => {
    throw new NoAnswer(why, retryAfter);
  };
  const response = await fetch(url, request).catch((error) => lost(error.cause ?? error));
  const retryAfter = Number(response.headers.get("Retry-After") ?? NaN) || undefined;
  const answer = await response.json().catch((error) => lost(`${response.status}, ${error.message}`, retryAfter));
  if (response.ok) return answer;
  if (!answer?.error?.code) lost(`${response.status}, and not in Weir's words`, retryAfter);
  const refused = new Refused(response.status, answer.error, retryAfter);
  const passes = response.status >= 500 || /^(rate_limit_exceeded|idempotency_in_progress)$/.test(refused.code);
  throw passes ? new NoAnswer(refused.message, retryAfter) : refused;
}

/** Under a key made here it happened now; under yours when you say, as a repeat has to be the same. */
function keyed(event: Event): Event {
  if (event.idempotencyKey !== undefined) return event;
  return { timestamp: new Date(), ...event, idempotencyKey: crypto.randomUUID() };
}

/** What could not be sent, oldest first. With a file it outlives the program. */
class Kept {
  items: [path: string, body: string][] = [];
  readonly #file: string | undefined;
  readonly #most: number;

  constructor(file: string | undefined, most: number) {
    this.#file = file;
    this.#most = most;
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1); // a line without an end was never promised
    this.items = lines.map((line) => JSON.parse(line) as [string, string]);
    this.drop(0);
  }

  add(path: string, body: string): void {
    if (this.items.length >= this.#most) throw new NoAnswer(`and ${this.#most} records are kept already`);
    this.items.push([path, body]);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify([path, body])}\n`, { flush: true });
  }

  drop(count: number): void {
    this.items.splice(0, count);
    if (this.#file === undefined) return;
    writeFileSync(`${this.#file}.new`, this.items.map((item) => `${JSON.stringify(item)}\n`).join(""), { flush: true });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
