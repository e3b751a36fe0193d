/** Refusals in the words of who asks why: what was called, what refused it, and how that stood. */
import type { CheckedBalance, CheckedLimit, Meter, RateStanding, Refusal, RefusedCall } from "$lib/api/types";
import { formatCount, formatExact, nanos } from "$lib/format/quantity";
import { href } from "$lib/state/router.svelte";
import { t } from "$lib/strings";

const words = t.refusals;

/** What refused a call: limits, rate limits and balances alike. */
export type Refuser = { kind: "limit"; at: CheckedLimit } | { kind: "rate"; at: RateStanding } | { kind: "balance"; at: CheckedBalance };

/** Rate limits are asked first, and a call that they refuse asks no limit; balances are asked last. */
export function refusersOf(call: Pick<RefusedCall, "limits" | "rateLimits" | "balances">): Refuser[] {
  return [
    ...call.rateLimits.map((at) => ({ kind: "rate" as const, at })),
    ...call.limits.map((at) => ({ kind: "limit" as const, at })),
    ...call.balances.map((at) => ({ kind: "balance" as const, at })),
  ];
}

export function idOf(refuser: Refuser): string {
  return refuser.kind === "balance" ? refuser.at.balanceId : refuser.at.id;
}

/** Where what refused is looked at. */
export function linkOf(refuser: Refuser): string {
  if (refuser.kind === "balance") return href("balances", refuser.at.balanceId);
  return refuser.kind === "limit" ? href("limits", refuser.at.id) : href("limits", "rates", refuser.at.id);
}

type Units = ReadonlyMap<string, Pick<Meter, "unit">>;

const unitOf = (limit: CheckedLimit, meters: Units) => meters.get(limit.meterId)?.unit ?? null;

/** “1,000 tokens” or “60 calls”, and “per day”. */
export function allowance(refuser: Exclude<Refuser, { kind: "balance" }>, meters: Units): [amount: string, per: string] {
  return refuser.kind === "limit"
    ? [formatExact(refuser.at.limit, unitOf(refuser.at, meters)), t.limits.per[refuser.at.period]]
    : [words.calls(refuser.at.limit, formatCount(refuser.at.limit)), t.limits.perSpan[refuser.at.window]];
}

/** “Used 990 of 1,000 tokens per day”; “4.5 of 6 credits available” of a balance. */
export function stood(refuser: Refuser, meters: Units): string {
  if (refuser.kind === "balance") {
    const { availableBalance, requestedAmount, unit } = refuser.at;
    return words.available(formatExact(availableBalance), formatExact(requestedAmount, unit));
  }
  const [amount, per] = allowance(refuser, meters);
  if (refuser.kind === "rate") return words.used(formatCount(refuser.at.limit - refuser.at.remaining), amount, per);
  const { used, held } = refuser.at;
  return nanos(held) > 0n ? words.usedAndHeld(formatExact(used), formatExact(held), amount, per) : words.used(formatExact(used), amount, per);
}

/** Why, as a sentence. */
export function because(refuser: Refuser, meters: Units): string {
  if (refuser.kind === "balance") {
    const { name, availableBalance, requestedAmount, unit } = refuser.at;
    return words.detail.cannotPay(name, formatExact(requestedAmount, unit), formatExact(availableBalance));
  }
  const [amount, per] = allowance(refuser, meters);
  return refuser.kind === "limit" ? words.detail.beyond(refuser.at.name, amount, per) : words.detail.noneLeft(refuser.at.name, amount, per);
}

/** “tokens 20, cost 0.5”: as exact as it was sent. */
export function valuesOf(call: Pick<RefusedCall, "values">): string {
  return Object.entries(call.values)
    .map(([name, value]) => `${name} ${formatExact(value)}`)
    .join(", ");
}

/** A refusal's name in an address. */
export const keyOf = (refusal: Pick<Refusal, "id">): string => String(refusal.id);
