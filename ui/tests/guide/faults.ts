/** Stands between a client and a Weir, and fails as networks and servers do. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** What happens to a request. */
export type Fault =
  | "pass"
  /** Answered as a Weir that has too much to do. */
  | { busy: number }
  /** Answered as a Weir that this key calls too often. */
  | { tooOften: number }
  /** Never answered. */
  | "hang"
  /** Cut off before it is done. */
  | "reset"
  /** Done, and cut off before it is answered. */
  | "die"
  /** Answered by something that is not Weir. */
  | "garble";

export interface Seen {
  path: string;
  key: string | undefined;
  /** Milliseconds, to be compared with one another. */
  at: number;
}

export class Faults {
  readonly seen: Seen[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(
    private readonly target: string,
    private readonly plan: Fault[],
    private readonly afterwards: Fault,
  ) {}

  /** The first requests meet the plan, one by one; all others what is said for afterwards. */
  static async before(target: string, plan: Fault[], afterwards: Fault = "pass"): Promise<Faults> {
    const faults = new Faults(target, plan, afterwards);
    faults.#server.listen(0, "127.0.0.1");
    await once(faults.#server, "listening");
    return faults;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!;
    this.seen.push({ path, key: request.headers["idempotency-key"]?.toString(), at: performance.now() });
    const fault = this.plan.shift() ?? this.afterwards;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (fault === "hang") return;
    if (fault === "reset") return void response.destroy();
    if (fault === "garble") return void response.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad Gateway</h1>");
    if (typeof fault === "object") {
      const [status, code, seconds] = "busy" in fault ? [503, "busy", fault.busy] : [429, "rate_limit_exceeded", fault.tooOften];
      const error = { code, message: "later", status, requestId: "req_0" };
      response.writeHead(status, { "Content-Type": "application/json", "Retry-After": seconds });
      return void response.end(JSON.stringify({ error }));
    }
    const headers: Record<string, string> = {};
    for (const name of ["authorization", "content-type", "accept", "idempotency-key"]) {
      const value = request.headers[name];
      if (typeof value === "string") headers[name] = value;
    }
    const body = parts.length > 0 ? Buffer.concat(parts) : null;
    const answer = await fetch(this.target + path, { method: request.method!, headers, body });
    const text = await answer.text();
    if (fault === "die") return void response.destroy();
    const passed: Record<string, string> = { "Content-Type": "application/json" };
    const wait = answer.headers.get("retry-after");
    if (wait !== null) passed["Retry-After"] = wait;
    response.writeHead(answer.status, passed).end(text);
  }
}

/** An address where nothing listens. */
export async function nobody(): Promise<string> {
  const faults = await Faults.before("", []);
  const { address } = faults;
  await faults.stop();
  return address;
}
