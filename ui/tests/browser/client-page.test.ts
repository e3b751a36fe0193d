import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, Weir } from "./weir";

interface Session {
  url: string;
  token: string;
}

const run = promisify(execFile);

/** The snippets of a language in the docs, as they would be pasted. */
async function snippets(language: string): Promise<string[]> {
  const text = await readFile(resolve(import.meta.dirname, "../../../docs/client-tokens.md"), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, found]) => found === language).map(([, , code]) => code!);
}

/** A site of somebody else's: the page of the docs, and a backend that gives it sessions. */
async function site(page: string, session: () => Promise<Session>): Promise<{ origin: string; server: Server }> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<[type: string, body: string]> => {
      if (request.method === "GET" && request.url === "/") return ["text/html; charset=utf-8", page];
      if (request.method === "POST" && request.url === "/weir-session") return ["application/json", JSON.stringify(await session())];
      throw new Error(`${request.method} ${request.url}`);
    };
    answer().then(
      ([type, body]) => response.writeHead(200, { "Content-Type": type }).end(body),
      (error: unknown) => response.writeHead(request.url === "/favicon.ico" ? 404 : 500).end(String(error)),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe("a page of another site", () => {
  let weir: Weir;
  let page: string;
  let weirSession: (customerId: string) => Promise<Session>;
  const sites: Server[] = [];
  const env = () => ({ ...process.env, WEIR_URL: weir.address, WEIR_KEY: weir.key });

  beforeAll(async () => {
    weir = await Weir.start();
    const meter = await weir.api("POST", "/meters", { name: "images", aggregation: "count", field: "*" });
    await weir.api("POST", "/limits", { name: "Images a month", meterId: meter.id, limitValue: 3, period: "month" });
    page = (await snippets("html"))[0]!;
    const [backend] = await snippets("ts");
    const { outputText } = ts.transpileModule(backend!, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } });
    Object.assign(process.env, { WEIR_URL: weir.address, WEIR_KEY: weir.key });
    ({ weirSession } = (await import(`data:text/javascript,${encodeURIComponent(outputText)}`)) as { weirSession: typeof weirSession });
  });
  afterAll(async () => {
    for (const server of sites) server.close();
    await weir?.stop();
  });

  const open = async (session: () => Promise<Session>) => {
    const made = await site(page, session);
    sites.push(made.server);
    return made;
  };
  const allow = (...clientOrigins: string[]) => weir.api("PUT", "/project", { clientOrigins });
  const events = async () => ((await weir.api("GET", "/events")) as { data: { customerId: string; eventType: string }[] }).data;

  it("shows what is left and records what happens, as the docs have it", async () => {
    const { origin } = await open(() => weirSession("acme"));
    await allow(origin);
    const { page: tab, complaints, close } = await weir.visit(`${origin}/`, { key: null });
    const [left, make] = [tab.getByRole("status"), tab.getByRole("button", { name: "Make an image" })];
    for (const made of [0, 1, 2]) {
      await tab.getByText(`${made} made so far`).waitFor();
      expect(await left.textContent()).toBe(`${3 - made} of 3 left (Images a month)`);
      await make.click();
    }
    await tab.getByText("3 made so far").waitFor();
    expect(await left.textContent()).toBe("0 of 3 left (Images a month)");
    expect(await make.isDisabled()).toBe(true);
    await expectAccessible(tab);
    expect((await events()).map((event) => [event.customerId, event.eventType])).toEqual(Array(3).fill(["acme", "image.made"]));
    expect(complaints).toEqual([]);
    await close();
  });

  it("goes on with a new token when the old one is past its date, and says when one was revoked", async () => {
    const tokens: { id: string; token: string }[] = [];
    const { origin } = await open(async () => {
      // The first is brief; what comes after it lasts.
      const ttlSeconds = tokens.length === 0 ? 1 : 900;
      const made = await weir.api("POST", "/client-tokens", { context: { customer_id: "brief" }, serverContext: { tier: 1 }, ttlSeconds });
      tokens.push(made as (typeof tokens)[number]);
      return { url: weir.address, token: tokens.at(-1)!.token };
    });
    await allow("https://app.example.com", origin);
    const { page: tab, complaints, close } = await weir.visit(`${origin}/`, { key: null });
    await tab.getByText("0 made so far").waitFor();
    const active = async () => (await weir.api("POST", "/client-tokens/introspect", { token: tokens[0]!.token })).active;
    await expect.poll(active).toBe(false);
    await tab.getByRole("button", { name: "Make an image" }).click();
    await tab.getByText("1 made so far").waitFor();
    expect(tokens.length).toBe(2);
    await weir.api("DELETE", `/client-tokens/${tokens[1]!.id}`);
    await tab.getByRole("button", { name: "Make an image" }).click();
    await tab.getByText("this client token is not known, or was revoked").waitFor();
    expect((await events()).filter((event) => event.customerId === "brief").length).toBe(1);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is refused where its origin is not named, and on every other route", async () => {
    const [named, other] = [await open(() => weirSession("zed")), await open(() => weirSession("zed"))];
    await allow(named.origin);
    const before = (await events()).length;
    const stranger = await weir.visit(`${other.origin}/`, { key: null });
    await stranger.page.getByText("Failed to fetch").waitFor();
    expect(await stranger.page.getByRole("button").isDisabled()).toBe(true);
    expect(stranger.complaints.join()).toContain("blocked by CORS policy");
    await stranger.close();

    const friend = await weir.visit(`${named.origin}/`, { key: null });
    await friend.page.getByText("0 made so far").waitFor();
    const attempts = await friend.page.evaluate(
      async ([url, key]) => {
        const attempt = (path: string, init: RequestInit) =>
          fetch(`${url}${path}`, init).then(
            (answer) => `${answer.type} ${answer.status}`,
            (error: unknown) => String(error),
          );
        const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
        return [
          await attempt("/v1/customers", { headers }),
          await attempt("/v1/events/record", { method: "POST", headers, body: '{"customerId":"zed","eventType":"t"}' }),
          // What a browser sends without asking first: nothing comes back, and nothing is done.
          await attempt("/v1/events/record", { method: "POST", mode: "no-cors", body: '{"customerId":"zed","eventType":"t"}' }),
          await attempt("/client/token", { headers: { ...headers, "X-Other": "1" } }),
          await attempt("/client/token", { credentials: "include", headers }),
        ];
      },
      [weir.address, weir.key] as const,
    );
    const blocked = "TypeError: Failed to fetch";
    expect(attempts).toEqual([blocked, blocked, "opaque 0", blocked, blocked]);
    await friend.close();
    expect((await events()).length).toBe(before);
  });

  it("gets its token from a backend in any language", async () => {
    const [origins, create] = await snippets("sh");
    const [python] = await snippets("python");
    const project = JSON.parse((await run("bash", ["-ec", origins!], { env: env() })).stdout) as { clientOrigins: string[] };
    expect(project.clientOrigins).toEqual(["https://app.example.com"]);
    const byCurl = JSON.parse((await run("bash", ["-ec", create!], { env: env() })).stdout) as { token: string };
    const asked = `${python}\nprint(json.dumps(weir_session("acme")))`;
    const byPython = JSON.parse((await run("python3", ["-c", asked], { env: env() })).stdout) as Session;
    const byScript = await weirSession("acme");
    expect([byPython.url, byScript.url]).toEqual([weir.address, weir.address]);
    for (const { token } of [byCurl, byPython, byScript]) {
      const answer = await fetch(`${weir.address}/client/token`, { headers: { Authorization: `Bearer ${token}` } });
      expect((await answer.json()) as object).toMatchObject({ publicMetadata: { customerId: "acme" } });
    }
  });
});
