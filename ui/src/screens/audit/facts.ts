/** Audit facts in terms of what a person asks: which fields differ, what it is about, and what the list is filtered by. */
import type { AuditFact, Req } from "$lib/api/types";
import { toTime } from "$lib/format/time";
import type { Range } from "$lib/range";
import { href, type Query } from "$lib/state/router.svelte";
import { t } from "$lib/strings";

/** Kept by Weir itself with every change; they tell nothing of what was meant. */
const KEPT = new Set(["id", "projectId", "balanceId", "version", "createdAt", "updatedAt", "lastEventAt", "lastUsedAt", "utilisation", "state", "progress"]);

export interface Difference {
  /** A path such as `eventFilter.eventType`. */
  field: string;
  /** Null where there was, or is, nothing. */
  before: string | null;
  after: string | null;
}

type Member = string | boolean | null | Member[] | { [name: string]: Member };

const isObject = (value: unknown): value is Record<string, Member> => typeof value === "object" && value !== null && !Array.isArray(value);

/** One line of a snapshot per field, members of objects on their own. Numbers come as texts of all their digits. */
function flat(snapshot: unknown, parent = ""): Map<string, string> {
  const found = new Map<string, string>();
  if (!isObject(snapshot)) return found;
  for (const [name, value] of Object.entries(snapshot)) {
    if (parent === "" && KEPT.has(name)) continue;
    const path = parent ? `${parent}.${name}` : name;
    if (isObject(value)) for (const [inner, text] of flat(value, path)) found.set(inner, text);
    else if (Array.isArray(value)) {
      if (value.length > 0) found.set(path, value.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join(", "));
    } else if (value !== null && value !== undefined) found.set(path, String(value));
  }
  return found;
}

/** Every field, with what it was and is. */
export function fieldsOf(fact: Pick<AuditFact, "before" | "after">): Difference[] {
  const [before, after] = [flat(fact.before), flat(fact.after)];
  return [...new Set([...before.keys(), ...after.keys()])].map((field) => ({
    field,
    before: before.get(field) ?? null,
    after: after.get(field) ?? null,
  }));
}

/** Only the fields that differ. */
export function differences(fact: Pick<AuditFact, "before" | "after">): Difference[] {
  return fieldsOf(fact).filter((each) => each.before !== each.after);
}

/** What a fact is about: a name to show, and where it is looked at. */
export function subject(fact: AuditFact): { name: string; link: string | null } {
  const known = { ...(isObject(fact.before) ? fact.before : {}), ...(isObject(fact.after) ? fact.after : {}) };
  const text = (name: string) => (typeof known[name] === "string" ? known[name] : null);
  const thing = fact.operation.split(".")[0];
  const name = text("name") ?? fact.targetName ?? fact.target;
  if (thing === "customers") {
    const external = text("externalId");
    return external === null ? { name, link: null } : { name: external, link: href("customers", external) };
  }
  if (thing === "meters" || thing === "limits" || thing === "balances") return { name, link: href(thing, fact.target) };
  if (thing === "rate_limits") return { name, link: href("limits", "rates", fact.target) };
  if (thing === "events") return { name: text("eventType") ?? name, link: href("events", { event: fact.target }) };
  if (thing === "keys") return { name, link: href("access") };
  if (thing === "client_tokens") return { name: text("customerId") ?? name, link: href("access", "tokens", { token: fact.target }) };
  if (thing === "webhooks") return { name: text("url") ?? name, link: href("webhooks", fact.target) };
  if (thing === "secrets") return { name: t.secrets.title, link: href("settings") };
  if (thing === "project") return { name, link: href("settings") };
  return { name, link: null };
}

/** Who did it, in words: of a key its name. */
export function who(actor: AuditFact["actor"]): string {
  return actor.label ?? t.audit.actors[actor.kind] ?? actor.kind;
}

/** The customer whose limit this is, where it is somebody's own. */
export function ownerOf(fact: AuditFact): string | null {
  return fact.operation.startsWith("customers.") ? null : fact.customerId;
}

/** What the list asks, by the filters in its address. */
export function requestOf(query: Query, range: Range | null): Req<"audit.list"> {
  const request: Req<"audit.list"> = {};
  if (query.query) request.query = query.query;
  if (query.what) request.operation = query.what;
  if (query.who) request.actor = query.who;
  if (query.customer) request.customerId = query.customer;
  if (range && range.id !== "data") {
    request.from = toTime(range.from);
    if (range.id === "custom") request.to = toTime(range.to);
  }
  return request;
}

/** The change of an address that takes every filter away. */
export const NO_FILTERS = { query: null, what: null, who: null, customer: null, range: null, from: null, to: null } as const;
