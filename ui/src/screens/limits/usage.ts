/** What customers have used in the present window of a limit that is not in force yet. */
import { asFailure } from "$lib/api/errors";
import type { Customer, Limit, OpName, Period, Req, Res } from "$lib/api/types";
import { toTime } from "$lib/format/time";
import { replaced, type Used } from "./impact";
import { windowAt, type Window } from "./window";

export interface Asked {
  meterId: string;
  period: Period;
  dimensions: Readonly<Record<string, string>>;
  /** "" for every customer. */
  customerId: string;
  /** The limit itself, where there is one. */
  limitId: string | null;
  /** Customers who get a limit of their own at the same time. */
  apart: readonly string[];
}

export interface Counted {
  customers: Used[];
  /** There are more, which were not read: these have used the most. */
  more: boolean;
  /** The one window, of the project, for which all were counted although a customer's own may be another; null where each was counted for its own. */
  insteadOfOwn: Window | null;
}

export type Call = <O extends OpName>(op: O, request: Req<O>, signal?: AbortSignal) => Promise<Res<O>>;

/** A default may have to be looked up against this many limits of customers' own. */
const MOST_OWN = 1_000;
/** Beyond this many it is enough to say that there are more. */
const MOST = 1_000;
/** With more customers, or more windows that differ, all are counted for one window. */
export const MOST_CUSTOMERS = 1_000;
export const MOST_WINDOWS = 40;

/**
 * Counts whom the limit would hold, each for its own window, as the engine will; for the project's where there are too
 * many to ask for. Null where there are too many limits of customers' own to know whom it holds.
 */
export async function usageOf(call: Call, asked: Asked, zone: string, now: number, signal?: AbortSignal): Promise<Counted | null> {
  const others = await ownLimits(call, asked, signal);
  if (others === null) return null;
  const counted = await countAll(call, asked, zone, now, signal);
  return { ...counted, customers: counted.customers.filter((each) => !others.has(each.customerId)) };
}

/** Customers whose own limit takes its place. */
async function ownLimits(call: Call, asked: Asked, signal?: AbortSignal): Promise<Set<string> | null> {
  if (asked.customerId !== "") return new Set();
  const found: Limit[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Res<"limits.list"> = await call("limits.list", { meterId: asked.meterId, limit: 100, ...(cursor === null ? {} : { cursor }) }, signal);
    found.push(...page.data);
    if (!page.hasMore) break;
    if (found.length >= MOST_OWN) return null;
    cursor = page.nextCursor;
  }
  const own = replaced(
    found.filter((limit) => limit.id !== asked.limitId),
    asked,
  );
  return new Set([...own, ...asked.apart]);
}

async function countAll(call: Call, asked: Asked, zone: string, now: number, signal?: AbortSignal): Promise<Counted> {
  const query = async (window: Window | null) => {
    const answer = await call(
      "meters.query",
      {
        id: asked.meterId,
        customerId: asked.customerId || undefined,
        dimensions: Object.keys(asked.dimensions).length > 0 ? { ...asked.dimensions } : undefined,
        ...(window && { from: toTime(window.from), to: toTime(window.to) }),
        groupBy: ["customer_id"],
        groupLimit: MOST,
      },
      signal,
    );
    const customers = answer.groups.flatMap(({ key, value: used }) => (key.customer_id && used !== null ? [{ customerId: key.customer_id, used }] : []));
    return { customers, more: answer.moreGroups };
  };

  // These are the same for every customer.
  if (asked.period === "all_time" || asked.period === "hour") {
    return { ...(await query(windowAt(asked.period, zone, "", now))), insteadOfOwn: null };
  }
  const known = await customersOf(call, asked.customerId, signal);
  const windows = known && windowsOf(known, asked.period, zone, now);
  if (!windows || windows.size > MOST_WINDOWS) {
    const insteadOfOwn = windowAt(asked.period, zone, "1970-01-01", now);
    return { ...(await query(insteadOfOwn)), insteadOfOwn };
  }
  const customers: Used[] = [];
  for (const { window, ids } of windows.values()) {
    customers.push(...(await query(window)).customers.filter((each) => ids.has(each.customerId)));
  }
  return { customers, more: false, insteadOfOwn: null };
}

type Cut = Pick<Customer, "externalId" | "timezone" | "billingCycleStart">;

/** Whom it is for; null where there are too many to read. One that is not known yet has used nothing. */
async function customersOf(call: Call, customerId: string, signal?: AbortSignal): Promise<Cut[] | null> {
  if (customerId !== "") {
    try {
      return [await call("customers.get", { id: customerId }, signal)];
    } catch (thrown) {
      if (asFailure(thrown).isNotFound) return [];
      throw thrown;
    }
  }
  const found: Cut[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Res<"customers.list"> = await call("customers.list", { limit: 100, ...(cursor === null ? {} : { cursor }) }, signal);
    found.push(...page.data);
    if (!page.hasMore) return found.length > MOST_CUSTOMERS ? null : found;
    if (found.length > MOST_CUSTOMERS) return null;
    cursor = page.nextCursor;
  }
}

/** The windows that differ, each with those whose own it is. */
function windowsOf(customers: readonly Cut[], period: Period, zone: string, now: number): Map<string, { window: Window | null; ids: Set<string> }> {
  const windows = new Map<string, { window: Window | null; ids: Set<string> }>();
  for (const { externalId, timezone, billingCycleStart } of customers) {
    const window = windowAt(period, timezone ?? zone, billingCycleStart, now);
    const key = `${window?.from} ${window?.to}`;
    const known = windows.get(key) ?? { window, ids: new Set<string>() };
    known.ids.add(externalId);
    windows.set(key, known);
  }
  return windows;
}
