/** A balance as it is being written. */
import type { Balance, Enforcement, GrantSource, MeteredInput, Period, Q, RecurringCreditInput, RecurringMode, Req, TopUp } from "$lib/api/types";
import { fieldCount, fieldText, parseQuantity } from "$lib/format/field";
import { nanos, zero } from "$lib/format/quantity";
import { numberFault } from "$lib/number-words";
import { t } from "$lib/strings";
import { sameDimensions } from "../limits/draft";
import { readPriority } from "./move";

const words = t.balances.form;

/** Texts are as they are typed. */
export interface Draft {
  customerId: string;
  name: string;
  unit: string;
  initial: string;
  minimum: string;
  low: string;
  priority: string;
  dimensions: Record<string, string>;
  topUp: { on: boolean; amount: string; below: string };
  metered: { on: boolean; amount: string; per: string; meterId: string; enforcement: Enforcement };
  recurring: { on: boolean; mode: RecurringMode; amount: string; period: Period; expires: boolean; priority: string; source: GrantSource };
}

const DEFAULT_PRIORITY = "100";

export const emptyDraft: Draft = {
  customerId: "",
  name: "",
  unit: "",
  initial: "",
  minimum: "0",
  low: "",
  priority: DEFAULT_PRIORITY,
  dimensions: {},
  topUp: { on: false, amount: "", below: "" },
  metered: { on: false, amount: "", per: fieldCount(1), meterId: "", enforcement: "hard" },
  recurring: { on: false, mode: "add", amount: "", period: "month", expires: false, priority: DEFAULT_PRIORITY, source: "paid" },
};

export function draftOf(balance: Balance): Draft {
  const { topUp, metered, recurringCredit: recurring } = balance;
  return {
    customerId: balance.customerId,
    name: balance.name,
    unit: balance.unit ?? "",
    initial: "",
    minimum: fieldText(balance.minimumBalance),
    low: balance.lowBalanceThreshold === null ? "" : fieldText(balance.lowBalanceThreshold),
    priority: String(balance.priority),
    dimensions: balance.dimensionFilters,
    topUp: topUp ? { on: true, amount: fieldText(topUp.amount), below: fieldText(topUp.below) } : emptyDraft.topUp,
    metered: metered ? { ...metered, on: true, amount: fieldText(metered.amount), per: fieldCount(metered.per) } : emptyDraft.metered,
    recurring: recurring
      ? { ...recurring, on: true, amount: fieldText(recurring.amount), priority: String(recurring.priority) }
      : emptyDraft.recurring,
  };
}

const MOST_PER = 1_000_000_000;

/** A whole number of units; null where it is none. */
export function readPer(text: string): number | null {
  const value = parseQuantity(text);
  if (value === null || !/^\d{1,10}$/.test(value)) return null;
  const per = Number.parseInt(value, 10);
  return per >= 1 && per <= MOST_PER ? per : null;
}

const above = (text: string): Q | null => {
  const value = parseQuantity(text);
  return value !== null && nanos(value) > 0n ? value : null;
};

const notNegative = (text: string): Q | null => {
  const value = parseQuantity(text);
  return value !== null && nanos(value) >= 0n ? value : null;
};

/** What is written, as the engine takes it; null where a field cannot be read. */
export interface Read {
  balance: Req<"balances.create"> | null;
  /** What is wrong, by the names that the engine has for the fields. */
  errors: Record<string, string>;
}

/** What the draft says. Rules that depend on more than one field are the engine's. */
export function read(draft: Draft): Read {
  const errors: Record<string, string> = {};
  const need = <T>(field: string, value: T | null, message: string): T | undefined => {
    if (value === null) errors[field] = message;
    return value ?? undefined;
  };
  const optional = (field: string, text: string, value: Q | null, message: string) => (text.trim() === "" ? null : (need(field, value, message) ?? null));

  if (draft.customerId === "") errors.customerId = words.chooseCustomer;
  if (draft.name.trim() === "") errors.name = words.chooseName;
  const minimumBalance = draft.minimum.trim() === "" ? zero : need("minimumBalance", parseQuantity(draft.minimum), numberFault(draft.minimum, words.notANumber));
  const initialBalance = optional("initialBalance", draft.initial, notNegative(draft.initial), numberFault(draft.initial, words.negative));
  const lowBalanceThreshold = optional("lowBalanceThreshold", draft.low, parseQuantity(draft.low), numberFault(draft.low, words.notANumber));
  const priority = need("priority", readPriority(draft.priority), words.wholePriority);
  const topUp = draft.topUp.on ? readTopUp(draft.topUp, need) : null;
  const metered = draft.metered.on ? readMetered(draft.metered, need) : null;
  const recurringCredit = draft.recurring.on ? readRecurring(draft.recurring, need) : null;

  if (Object.keys(errors).length > 0) return { balance: null, errors };
  return {
    balance: {
      customerId: draft.customerId,
      name: draft.name.trim(),
      unit: draft.unit.trim() || null,
      minimumBalance,
      initialBalance,
      lowBalanceThreshold,
      topUp,
      dimensionFilters: draft.dimensions,
      priority,
      metered,
      recurringCredit,
    },
    errors,
  };
}

type Need = <T>(field: string, value: T | null, message: string) => T | undefined;

function readTopUp(draft: Draft["topUp"], need: Need): TopUp | null {
  const amount = need("topUp.amount", above(draft.amount), numberFault(draft.amount, words.notPositive));
  const below = need("topUp.below", parseQuantity(draft.below), numberFault(draft.below, words.notANumber));
  return amount === undefined || below === undefined ? null : { amount, below };
}

function readMetered(draft: Draft["metered"], need: Need): MeteredInput | null {
  const amount = need("metered.amount", above(draft.amount), numberFault(draft.amount, words.notPositive));
  const per = need("metered.per", readPer(draft.per), numberFault(draft.per, words.notWhole));
  const meterId = need("metered.meterId", draft.meterId || null, words.chooseMeter);
  return amount === undefined || meterId === undefined ? null : { amount, per, meterId, enforcement: draft.enforcement };
}

function readRecurring(draft: Draft["recurring"], need: Need): RecurringCreditInput | null {
  const amount = need("recurringCredit.amount", above(draft.amount), numberFault(draft.amount, words.notPositive));
  const priority = need("recurringCredit.priority", readPriority(draft.priority), words.wholePriority);
  const { mode, period, expires, source } = draft;
  return amount === undefined ? null : { amount, mode, period, expires, priority, source };
}

export type Change = Omit<Req<"balances.update">, "id">;

const CHANGEABLE = ["unit", "minimumBalance", "lowBalanceThreshold", "priority", "topUp", "metered", "recurringCredit"] as const;

/** Only what differs. */
export function changes(written: Req<"balances.create">, before: Balance): Change {
  const changed: Change = {};
  for (const field of CHANGEABLE) {
    if (!same(written[field] ?? null, before[field])) Object.assign(changed, { [field]: written[field] ?? null });
  }
  if (!sameDimensions(written.dimensionFilters ?? {}, before.dimensionFilters)) changed.dimensionFilters = written.dimensionFilters;
  return changed;
}

/** The change that takes a change back. */
export function reverse(change: Change, before: Balance): Change {
  return Object.fromEntries(Object.keys(change).map((field) => [field, before[field as keyof Balance]])) as Change;
}

/** Equal as JSON, whatever the order of fields. */
function same(a: unknown, b: unknown): boolean {
  const flat = (value: unknown): string =>
    typeof value === "object" && value !== null ? JSON.stringify(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1))) : JSON.stringify(value);
  return flat(a) === flat(b);
}

/** What is wrong with a field or any field within it, each said once. */
export function errorsUnder(errors: Readonly<Record<string, string>>, field: string): string[] {
  return [...new Set(Object.entries(errors).flatMap(([name, message]) => (name === field || name.startsWith(`${field}.`) ? [message] : [])))];
}
