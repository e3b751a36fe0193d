/** Addresses: `#/customers/azure-code/usage?range=24h`. Every screen has one; back and forward work. */

export type Query = Record<string, string>;

export interface Address {
  /** Decoded, e.g. `["customers", "azure-code", "usage"]`. */
  segments: string[];
  query: Query;
}

export function parseHash(hash: string): Address {
  const text = hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const segments = path.split("/").filter(Boolean).map(decode);
  const query: Query = {};
  if (mark >= 0) for (const [name, value] of new URLSearchParams(text.slice(mark + 1))) query[name] = value;
  return { segments, query };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** `href("customers", id, "usage")` → `#/customers/…/usage`. A last object is the query. */
export function href(...parts: (string | Record<string, string | null | undefined>)[]): string {
  const query = new URLSearchParams();
  const segments: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") segments.push(encodeURIComponent(part));
    else for (const [name, value] of Object.entries(part)) if (value) query.set(name, value);
  }
  const tail = query.toString();
  return `#/${segments.join("/")}${tail ? `?${tail}` : ""}`;
}

/** Fits segments to a pattern such as `customers/:id/:tab?`; null where it does not fit. */
export function match(pattern: string, segments: readonly string[]): Record<string, string> | null {
  const wanted = pattern.split("/").filter(Boolean);
  if (segments.length > wanted.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const segment = segments[i];
    if (part.startsWith(":")) {
      const name = part.slice(1).replace(/\?$/, "");
      if (segment === undefined) {
        if (!part.endsWith("?")) return null;
      } else {
        params[name] = segment;
      }
    } else if (part !== segment) {
      return null;
    }
  }
  return params;
}

let entries = 0;

/** Names an entry of the history, apart from those of earlier visits. Not a secret, so no cryptography (which a plain LAN address lacks). */
function newEntry(): string {
  return `${Date.now().toString(36)}-${entries++}`;
}

class Router {
  #address = $state.raw<Address>(parseHash(location.hash));
  /** Grows with each visit to an address that is not a mere change of its query. */
  visits = $state(0);
  /** The last move was back or forward, so lists should stand where they stood. */
  returning = false;
  readonly #scroll = new Map<string, number>();

  constructor() {
    if (!history.state?.entry) history.replaceState({ entry: newEntry() }, "");
    addEventListener("popstate", () => this.#moved(true));
    addEventListener("hashchange", () => this.#moved(false));
  }

  get segments(): string[] {
    return this.#address.segments;
  }

  get query(): Query {
    return this.#address.query;
  }

  go(address: string, options: { replace?: boolean } = {}): void {
    const state = { entry: newEntry() };
    if (options.replace) history.replaceState({ entry: history.state?.entry ?? state.entry }, "", address);
    else if (address !== location.hash) history.pushState(state, "", address);
    this.returning = false;
    this.#read();
  }

  /** Changes parts of the query in place; null or "" takes one away. Adds no step to the history unless asked. */
  setQuery(change: Record<string, string | null | undefined>, options: { push?: boolean } = {}): void {
    this.go(href(...this.segments, { ...this.query, ...change }), { replace: !options.push });
  }

  saveScroll(list: string, top: number): void {
    this.#scroll.set(`${history.state?.entry} ${list}`, top);
  }

  savedScroll(list: string): number {
    return this.returning ? (this.#scroll.get(`${history.state?.entry} ${list}`) ?? 0) : 0;
  }

  #moved(back: boolean): void {
    // A link followed by the browser itself also ends here: it made the entry, so it has no name yet.
    const fresh = !history.state?.entry;
    if (fresh) history.replaceState({ entry: newEntry() }, "");
    if (back) this.returning = !fresh;
    this.#read();
  }

  #read(): void {
    const next = parseHash(location.hash);
    const here = this.#address;
    const samePath = next.segments.join("/") === here.segments.join("/");
    if (samePath && JSON.stringify(next.query) === JSON.stringify(here.query)) return;
    this.#address = next;
    if (!samePath) this.visits++;
  }
}

export const router = new Router();
