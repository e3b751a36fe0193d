/**
 * The console as it is in the window: every call goes by the window's command. Here it is carried to the test's server, but for what
 * only the window may do: the local server, which is a stand-in.
 */
import type { BrowserContext } from "playwright-core";
import { httpRequest } from "../../src/lib/api/routes";
import type { OpName, ServerPatch, ServerState } from "../../src/lib/api/types";
import type { Weir } from "./weir";

export class LocalServer {
  readonly changes: ServerPatch[] = [];

  constructor(readonly state: ServerState) {}

  /** Changes as asked, or the failure that the engine would answer with. */
  change(patch: ServerPatch): ServerState {
    this.changes.push(patch);
    if (patch.port !== undefined && (patch.port < 1_024 || patch.port > 65_535)) {
      throw refusal("invalid_field_value", "`port` must be a whole number from 1024 to 65535", 400, "port");
    }
    Object.assign(this.state, patch);
    this.state.address = this.state.enabled ? `http://127.0.0.1:${this.state.port}` : null;
    this.state.lanAddresses = this.state.enabled && this.state.lan ? [`http://192.168.1.20:${this.state.port}`] : [];
    this.state.error = null;
    return this.state;
  }
}

function refusal(code: string, message: string, status: number, field?: string): Error {
  return new Error(JSON.stringify({ code, message, status, requestId: "req_1", details: field ? { field } : undefined }));
}

/** To be given to `open` as `before`. */
export function asWindow(weir: Weir, server: LocalServer): (context: BrowserContext) => Promise<void> {
  const rpc = async (op: string, request: string): Promise<string> => {
    if (op === "server.get") return JSON.stringify(server.state);
    if (op === "server.update") return JSON.stringify(server.change(JSON.parse(request) as ServerPatch));
    const { method, path, body } = httpRequest(op as OpName, JSON.parse(request) as object);
    const response = await fetch(`${weir.address}/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${weir.key}`, "Content-Type": "application/json", Accept: "application/json; quantities=string" },
      body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  };
  return async (context) => {
    await context.exposeFunction("carry", (op: string, request: string) => rpc(op, request).then((text) => ({ text }), (error: Error) => ({ failure: error.message })));
    await context.addInitScript(() => {
      const page = globalThis as unknown as {
        carry(op: string, request: string): Promise<{ text?: string; failure?: string }>;
        __TAURI_INTERNALS__: object;
        __TAURI_EVENT_PLUGIN_INTERNALS__: object;
      };
      page.__TAURI_INTERNALS__ = {
        transformCallback: () => 1,
        async invoke(command: string, given: { op: string; request: string }) {
          if (command !== "rpc") return 1;
          const { text, failure } = await page.carry(given.op, given.request);
          if (failure !== undefined) throw failure;
          return text;
        },
      };
      page.__TAURI_EVENT_PLUGIN_INTERNALS__ = { unregisterListener: () => {} };
    });
  };
}
