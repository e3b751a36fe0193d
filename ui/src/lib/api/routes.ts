/** How a request is put into HTTP. The desktop window needs only the operation's name. */
import { routes as known } from "./generated";
import type { OpName } from "./types";

/** What only the window may call has none. */
const routes: Partial<Record<OpName, readonly [method: string, path: string]>> = known;

/** A request split as HTTP wants it: path ids into the path, the rest into the query (GET, DELETE) or the body. */
export function httpRequest(op: OpName, request: object): { method: string; path: string; body: string | null } {
  const route = routes[op];
  if (!route) throw new TypeError(`${op} is for the window alone`);
  const [method, template] = route;
  const rest: Record<string, unknown> = { ...request };
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = rest[name];
    if (typeof id !== "string") throw new TypeError(`${op} needs ${name}`);
    delete rest[name];
    return encodeURIComponent(id);
  });
  if (method === "POST" || method === "PUT") return { method, path, body: JSON.stringify(rest) };
  const query = queryString(rest);
  return { method, path: query ? `${path}?${query}` : path, body: null };
}

/** `a=1&dimensions[model]=x`; what is undefined or null is left out. */
function queryString(fields: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    if (typeof value === "object") {
      for (const [key, part] of Object.entries(value)) query.append(`${name}[${key}]`, String(part));
    } else {
      query.append(name, String(value));
    }
  }
  return query.toString();
}
