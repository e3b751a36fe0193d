/** A real `weir serve` on a folder of its own, and a real Chromium to look at it. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { expect } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const BINARY = process.env.WEIR_BIN ?? join(ROOT, "target/debug/weir");
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const START_MS = 30_000;

/** How a window is opened. */
interface Opening {
  theme?: "light" | "dark";
  /** The browser's language; American English where none is named. */
  locale?: string;
  /** The key to sign in with; null for none. */
  key?: string | null;
  /** Done to its context first. */
  before?: (context: BrowserContext) => Promise<void>;
}

export class Weir {
  private constructor(
    readonly address: string,
    readonly key: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly browser: Browser,
  ) {}

  /** Without a key of signing secrets nobody has chosen where it is kept, and there is no keyring. */
  static async start({ secretKey = true } = {}): Promise<Weir> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run cargo build -p weir-cli`);
    const executablePath = CHROMIUM.find((path) => path && existsSync(path));
    if (!executablePath) throw new Error("no Chromium found: install it, or name it in CHROMIUM");

    const folder = await mkdtemp(join(tmpdir(), "weir-browser-"));
    const secrets = secretKey ? { WEIR_SECRET_KEY: randomBytes(32).toString("hex") } : { DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/no-bus` };
    const server = spawn(BINARY, ["serve", "--data", folder, "--listen", "127.0.0.1:0"], {
      env: { ...process.env, ...secrets },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const address = await listening(server);
    const { stdout } = await promisify(execFile)(BINARY, ["keys", "create", "--data", folder, "--name", "journeys", "--scope", "manage"]);
    const browser = await chromium.launch({
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    return new Weir(address, stdout.trim(), server, folder, browser);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    if (this.process.exitCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGTERM");
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A signed-in window on an address of the console, once that hears its keys. Whatever the page complains about fails the test. */
  async open(hash: string, options: Opening = {}): Promise<Window> {
    const window = await this.visit(`${this.address}/${hash}`, options);
    await window.page.locator("main.centre[aria-busy=true]").waitFor({ state: "detached" });
    return window;
  }

  /** A window on any address. */
  async visit(url: string, options: Opening = {}): Promise<Window> {
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: options.theme ?? "light",
      locale: options.locale ?? "en-US",
      timezoneId: "Asia/Kathmandu",
      acceptDownloads: true,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // The browser itself reports each answer of 4xx; whether the console deals with it is what the tests look at.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
    });
    const key = options.key === undefined ? this.key : options.key;
    if (key !== null) await signIn(context, this.address, key);
    await options.before?.(context);
    await page.goto(url);
    return { page, complaints, close: () => context.close() };
  }

  /** Speaks to the API as a program would. */
  async api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.address}/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.key}`,
        "Content-Type": "application/json",
        Accept: "application/json; quantities=string",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
}

export interface Window {
  page: Page;
  complaints: string[];
  close(): Promise<void>;
}

/** As the sign-in page does it: what the browser is known by from then on is in a cookie. */
async function signIn(context: BrowserContext, address: string, key: string): Promise<void> {
  const answer = await context.request.post(`${address}/console/session`, { headers: { Authorization: `Bearer ${key}` } });
  expect(answer.status()).toBe(201);
}

function listening(server: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let said = "";
    const late = setTimeout(() => failed(new Error(`weir serve did not start: ${said}`)), START_MS);
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const address = /listening on (http:\/\/\S+)/.exec(said)?.[1];
      if (!address) return;
      clearTimeout(late);
      found(address.replace(/\/$/, ""));
    };
    server.stdout?.on("data", hear);
    server.stderr?.on("data", hear);
    server.once("exit", (code) => {
      clearTimeout(late);
      failed(new Error(`weir serve ended with ${code}: ${said}`));
    });
  });
}

const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** No violation of WCAG 2.2 AA, nor of axe's best practices. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(root: Document, options: object): Promise<{ violations: AxeViolation[] }> } };
    const result = await axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return result.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  });
  expect(found).toEqual([]);
}

interface AxeViolation {
  id: string;
  nodes: { target: string[] }[];
}

export interface FileSums {
  rows: number;
  tokens: bigint;
  output: bigint;
}

/** The sample files, summed here and by nobody else. */
export async function sampleSums(): Promise<Record<"code" | "conv", FileSums>> {
  const sum = async (name: string): Promise<FileSums> => {
    const text = await readFile(join(ROOT, `data/azure-llm-2023-${name}.csv`), "utf8");
    const sums = { rows: 0, tokens: 0n, output: 0n };
    for (const line of text.split(/\r?\n/).slice(1).filter(Boolean)) {
      const [, input, output] = line.split(",");
      sums.rows += 1;
      sums.tokens += BigInt(input!) + BigInt(output!);
      sums.output += BigInt(output!);
    }
    return sums;
  };
  return { code: await sum("code"), conv: await sum("conv") };
}

/** As an American reads it: `26,456,030`. */
export function grouped(value: bigint | number): string {
  return value.toLocaleString("en-US");
}
