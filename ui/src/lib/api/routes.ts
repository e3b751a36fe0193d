/** How each operation is reached over HTTP. The desktop window needs only its name. */
import type { OpName } from "./types";

type Method = "GET" | "POST" | "PUT" | "DELETE";

export const ROUTES: Record<OpName, readonly [method: Method, path: string]> = {
  "project.get": ["GET", "/project"],
  "project.update": ["PUT", "/project"],
  "status.get": ["GET", "/status"],
  "customers.create": ["POST", "/customers"],
  "customers.list": ["GET", "/customers"],
  "customers.get": ["GET", "/customers/{id}"],
  "customers.update": ["PUT", "/customers/{id}"],
  "customers.archive": ["DELETE", "/customers/{id}"],
  "customers.restore": ["POST", "/customers/{id}/restore"],
  "customers.standing": ["GET", "/customers/{id}/standing"],
  "customers.usage": ["GET", "/customers/{id}/usage"],
  "events.record": ["POST", "/events/record"],
  "events.batch": ["POST", "/events/batch"],
  "events.list": ["GET", "/events"],
  "events.get": ["GET", "/events/{id}"],
  "events.summary": ["GET", "/events/summary"],
  "usage.get": ["GET", "/usage"],
  "meters.create": ["POST", "/meters"],
  "meters.list": ["GET", "/meters"],
  "meters.get": ["GET", "/meters/{id}"],
  "meters.update": ["PUT", "/meters/{id}"],
  "meters.archive": ["DELETE", "/meters/{id}"],
  "meters.restore": ["POST", "/meters/{id}/restore"],
  "meters.query": ["POST", "/meters/{id}/query"],
  "meters.preview": ["POST", "/meters/preview"],
  "limits.create": ["POST", "/limits"],
  "limits.list": ["GET", "/limits"],
  "limits.get": ["GET", "/limits/{id}"],
  "limits.update": ["PUT", "/limits/{id}"],
  "limits.archive": ["DELETE", "/limits/{id}"],
  "limits.restore": ["POST", "/limits/{id}/restore"],
  "limits.check": ["POST", "/limits/check"],
  "limits.standings": ["GET", "/limits/standings"],
  "keys.create": ["POST", "/keys"],
  "keys.list": ["GET", "/keys"],
  "keys.revoke": ["DELETE", "/keys/{id}"],
  "imports.create": ["POST", "/imports"],
  "imports.upload": ["POST", "/imports/{id}/upload"],
  "imports.preview": ["POST", "/imports/{id}/preview"],
  "imports.start": ["POST", "/imports/{id}/start"],
  "imports.get": ["GET", "/imports/{id}"],
  "imports.cancel": ["DELETE", "/imports/{id}"],
  "imports.report": ["GET", "/imports/{id}/report"],
  "sample.create": ["POST", "/sample"],
  "charts.render": ["POST", "/charts"],
};

/** A request split as HTTP wants it: path ids into the path, the rest into the query (GET, DELETE) or the body. */
export function httpRequest(op: OpName, request: object): { method: Method; path: string; body: string | null } {
  const [method, template] = ROUTES[op];
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
