/** Balances in the words of who looks after them. */
import type { Balance, BalanceHold, EntryKind, Metered, Q, RecurringCredit, TopUp, Transaction } from "$lib/api/types";
import { formatCount, formatExact, nanos, quantity, subtract } from "$lib/format/quantity";
import { formatInstant, millis } from "$lib/format/time";
import { t } from "$lib/strings";

const words = t.balances;

/** “3 credits for every 1,000 of total_tokens, refuses when it cannot pay”. */
export function meteredWords(metered: Metered, unit: string | null, meter: string | undefined): string {
  return words.meteredSentence(formatExact(metered.amount, unit), formatCount(metered.per), meter ?? words.unknownMeter, words.beyond[metered.enforcement]);
}

/** “Adds 100 credits every month, each expires as the next comes”. */
export function recurringWords({ amount, mode, period, expires }: RecurringCredit, unit: string | null): string {
  const said = (mode === "add" ? words.adds : words.fillsUp)(formatExact(amount, unit), words.every[period]);
  return expires ? words.eachExpires(said) : said;
}

/** “Asks for 100 credits when it falls to 10”. */
export function topUpWords({ amount, below }: TopUp, unit: string | null): string {
  return words.topUpSentence(formatExact(amount, unit), formatExact(below));
}

/** Whether it has fallen to where a top-up is wanted. */
export function wantsTopUp({ topUp, currentBalance }: Pick<Balance, "topUp" | "currentBalance">): boolean {
  return topUp !== null && nanos(currentBalance) <= nanos(topUp.below);
}

/** “12 days”, “< 1 day”; “Unspent” where nothing is. */
export function lastsWords({ daysLeft, perDay }: Balance["burn"]): string {
  if (daysLeft === null) return perDay === null ? t.noValue : words.unspent;
  return daysLeft === 0 ? words.lessThanADay : words.days(daysLeft, formatCount(daysLeft));
}

/** Where the rate comes from. */
export function burnHint({ burn, unit }: Pick<Balance, "burn" | "unit">, zone: string): string {
  if (burn.perDay === null) return words.tooYoung;
  if (nanos(burn.spent) === 0n) return words.nothingSpent;
  return words.spentSince(formatExact(burn.spent, unit), formatInstant(millis(burn.from), zone, "minute"));
}

/** What an entry did to the balance: below zero where money went. */
export function effectOf({ type, amount }: { type: EntryKind; amount: Q }): Q {
  return type === "debit" || type === "expiry" ? quantity(-nanos(amount)) : amount;
}

/** What the balance was before an entry. */
export function beforeOf(entry: Transaction): Q {
  return subtract(entry.balanceAfter, effectOf(entry));
}

/** “+100”, “-2.5”: as exact as it is. */
export function signed(amount: Q, unit?: string | null): string {
  const text = formatExact(amount, unit);
  return nanos(amount) > 0n ? `+${text}` : text;
}

/** What an entry is about: its description, else what made it. */
export function whatOf({ description, cause }: Pick<Transaction, "description" | "cause">): string {
  return description || words.cause[cause.kind];
}

/** Which grants paid, for a file: “txn_1 5; txn_2 3; owed 1”. */
export function paidText({ paidBy }: Pick<Transaction, "paidBy">): string {
  return paidBy.map(({ grantId, amount }) => `${grantId ?? "owed"} ${amount}`).join("; ");
}

/** “5 credits, render job”: a hold among others. */
export function holdWords({ amount, description }: Pick<BalanceHold, "amount" | "description">, unit: string | null): string {
  return [formatExact(amount, unit), description].filter(Boolean).join(", ");
}
