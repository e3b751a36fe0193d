/** A `weir serve` on a folder of its own, and what it holds. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

export const ROOT = resolve(import.meta.dirname, "../../..");
const BINARY = resolve(process.env.WEIR_BIN ?? join(ROOT, "target/debug/weir"));

type Json = Record<string, unknown>;

export interface EventRow {
  id: string;
  customerId: string;
  eventType: string;
  values: Record<string, string>;
  dimensions: Record<string, string>;
  timestamp: string;
}

export class Weir {
  private constructor(
    readonly address: string,
    /** Of the scope `ingest`, as a product has it. */
    readonly key: string,
    /** A key of the scope `manage`. */
    readonly operator: string,
    private readonly process: ChildProcess,
    /** Where programs may work; `weir` itself is on the path there. */
    readonly folder: string,
  ) {}

  static async start(): Promise<Weir> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run cargo build -p weir-cli`);
    const folder = await mkdtemp(join(tmpdir(), "weir-guide-"));
    const data = join(folder, "data");
    await symlink(BINARY, join(folder, "weir"));
    const server = spawn(BINARY, ["serve", "--data", data, "--listen", "127.0.0.1:0"], {
      env: { ...process.env, WEIR_SECRET_KEY: randomBytes(32).toString("hex") },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const lines = createInterface({ input: server.stdout! });
    const [line] = (await Promise.race([once(lines, "line"), once(server, "exit")])) as [unknown];
    const address = /^listening on (http:\S+)$/.exec(String(line))?.[1];
    if (!address) throw new Error(`weir serve did not start: ${line}`);
    const key = async (scope: string) => {
      const { stdout } = await promisify(execFile)(BINARY, ["keys", "create", "--data", data, "--name", scope, "--scope", scope]);
      return stdout.trim();
    };
    return new Weir(address, await key("ingest"), await key("manage"), server, folder);
  }

  /** What the pages tell the reader to set. */
  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.folder}:${process.env.PATH}`,
      HOME: this.folder,
      WEIR_URL: this.address,
      WEIR_KEY: this.key,
      WEIR_DATA: join(this.folder, "data"),
    };
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGKILL");
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Asks as the operator. */
  async ask<Answer = Json>(method: string, path: string, body?: Json): Promise<Answer> {
    const response = await fetch(`${this.address}/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.operator}`,
        "Content-Type": "application/json",
        Accept: "application/json; quantities=string",
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Answer;
  }

  /** Every event, oldest first. */
  async events(): Promise<EventRow[]> {
    const { data, hasMore } = await this.ask<{ data: EventRow[]; hasMore: boolean }>("GET", "/events?limit=100");
    if (hasMore) throw new Error("there are more than 100 events");
    return data.reverse();
  }

  /** What all events come to, in short: `acme llm.completion tokens=1200`. */
  async happened(): Promise<string[]> {
    const said = (await this.events()).map(({ customerId, eventType, values }) => {
      const all = Object.entries(values).map(([name, value]) => `${name}=${value}`);
      return [customerId, eventType, ...all].join(" ");
    });
    return said.sort();
  }

  /** Acme's balance: what it is, what is held, and the ledger from its first entry on, such as `debit 2.5`. */
  async balance(): Promise<{ current: string; held: string; entries: string[] }> {
    type Row = { id: string; currentBalance: string; heldBalance: string };
    const { balances } = await this.ask<{ balances: Row[] }>("GET", "/customers/acme/balances");
    const [row, ...others] = balances;
    if (!row || others.length > 0) throw new Error(`acme has ${balances.length} balances`);
    type Entry = { type: string; amount: string };
    const { data } = await this.ask<{ data: Entry[] }>("GET", `/balances/${row.id}/transactions?limit=100`);
    return {
      current: row.currentBalance,
      held: row.heldBalance,
      entries: data.reverse().map(({ type, amount }) => `${type} ${amount}`),
    };
  }

  /** States of all reservations. */
  async reservations(): Promise<string[]> {
    const { data } = await this.ask<{ data: { state: string }[] }>("GET", "/reservations?limit=100");
    return data.map((each) => each.state);
  }

  /** A limit on the tokens of a month. */
  async limitTokens(limitValue: number): Promise<void> {
    const { data } = await this.ask<{ data: { id: string; name: string }[] }>("GET", "/meters");
    const meterId = data.find((meter) => meter.name === "total_tokens")!.id;
    await this.ask("POST", "/limits", { name: "Tokens", meterId, limitValue, period: "month" });
  }

  async giveCredits(initialBalance: string): Promise<void> {
    await this.ask("POST", "/balances", { customerId: "acme", name: "credits", initialBalance });
  }

  async use(tokens: number): Promise<void> {
    await this.ask("POST", "/events/record", { customerId: "acme", eventType: "before", values: { tokens } });
  }
}
