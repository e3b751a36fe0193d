/** An explanation in plain words. */
import type { ExplainedBalance, ExplainedLimit, ExplainedRate, Explanation, Mismatch } from "$lib/api/types";
import { compare, formatCount, formatExact, nanos } from "$lib/format/quantity";
import { t } from "$lib/strings";

const words = t.explain;

/** “1,000 tokens” and “per day”. */
function allowance(limit: ExplainedLimit): [amount: string, per: string] {
  return [formatExact(limit.limit, limit.unit), t.limits.per[limit.period]];
}

/** Whether a limit refuses what is asked. Of a call that tracking decides, tracking's own answer counts. */
export function refuses(limit: ExplainedLimit, told: Pick<Explanation, "track">): boolean {
  const { track } = told;
  return track && track.rateLimits.length === 0 ? track.limits.includes(limit.limitId) : limit.refuses;
}

/** Whether a check counts a limit that the call, once all of it is known, does not count on. */
export function onlyAhead(limit: ExplainedLimit, told: Pick<Explanation, "track">): boolean {
  return limit.refuses && !refuses(limit, told);
}

/** Why a limit lets it pass or does not, or why it has no say. */
export function reason(limit: ExplainedLimit): string {
  const [amount, per] = allowance(limit);
  const { usage, share } = limit;
  switch (limit.verdict) {
    case "within":
      if (share) return words.takes(formatExact(share.before), formatExact(share.after), amount, per);
      return words.room(formatExact(usage!.remaining), amount, per);
    case "used_up":
      return nanos(usage!.held) > 0n
        ? words.usedUpHeld(formatExact(usage!.used), formatExact(usage!.held), amount, per)
        : words.usedUp(formatExact(usage!.used), amount, per);
    case "would_exceed":
      return words.takesBeyond(formatExact(share!.before), formatExact(share!.after), amount, per);
    case "no_further":
      return words.noFurther(formatExact(share!.before), amount, per);
    case "nothing_counted":
      return words.nothingCounted(limit.field.replace(/^(values|dimensions)\./, ""));
    case null:
      return absence(limit);
  }
}

function absence(limit: ExplainedLimit): string {
  if (limit.status === "disabled") return words.off;
  if (limit.status === "replaced") return words.replaced;
  return limit.mismatch ? unmet(limit.mismatch, limit.meterName) : "";
}

function unmet({ of, dimension, wanted, given }: Mismatch, meter: string): string {
  if (dimension === "event_type") return given === null ? words.typeWantedMissing(wanted) : words.typeWanted(wanted, given);
  if (of === "balance") return given === null ? words.balanceWantsMissing(dimension, wanted) : words.balanceWants(dimension, wanted, given);
  if (given === null) return words.limitWantsMissing(dimension, wanted);
  return of === "meter" ? words.meterWants(meter, dimension, wanted, given) : words.limitWants(dimension, wanted, given);
}

/** How a rate limit stands, or why it has no say. */
export function rateReason(rate: ExplainedRate): string {
  if (rate.mismatch) return unmet(rate.mismatch, "");
  const { standing } = rate;
  const [calls, per] = [t.refusals.calls(standing.limit, formatCount(standing.limit)), t.limits.perSpan[standing.window]];
  return standing.exceeded ? words.rateNone(calls, per) : words.rateLeft(formatCount(standing.remaining), calls, per);
}

/** What a balance would pay, why it cannot, or why it has no say. */
export function balanceReason(balance: ExplainedBalance): string {
  if (balance.mismatch) return unmet(balance.mismatch, balance.meterName);
  const { amount, quantity, refuses, meterName, unit } = balance;
  const available = formatExact(balance.availableBalance, unit);
  if (amount === null || quantity === null) return refuses ? words.cannotPayAny(available) : words.canPay(available);
  if (nanos(quantity) === 0n && !refuses) return words.paysNothing(available);
  const said = refuses ? words.cannotPay : compare(amount, balance.availableBalance) > 0 ? words.owes : words.pays;
  return said(formatExact(amount, unit), formatExact(quantity), meterName, available);
}

export interface Headline {
  good: boolean;
  title: string;
  /** What makes it so. */
  because: string[];
}

/** The answer in a sentence, and what makes it so. */
export function headline(told: Explanation, mode: "customer" | "request" | "call"): Headline {
  const named = (name: string, why: string) => `${name}: ${why.charAt(0).toLowerCase()}${why.slice(1)}`;
  const rates = told.rateLimits.filter((rate) => rate.refuses);
  if (told.track) {
    const { admitted, rateLimits } = told.track;
    if (admitted) return { good: true, title: words.recorded, because: [words.nothingRefuses] };
    const byRate = told.rateLimits.filter((rate) => rateLimits.includes(rate.standing.id));
    const byLimit = told.limits.filter((limit) => told.track!.limits.includes(limit.limitId));
    const byBalance = told.balances.filter((balance) => told.track!.balances.includes(balance.balanceId));
    return {
      good: false,
      title: words.refusedCall,
      because: [
        ...byRate.map((rate) => named(rate.standing.name, rateReason(rate))),
        ...byLimit.map((limit) => named(limit.name, reason(limit))),
        ...byBalance.map((balance) => named(balance.name, balanceReason(balance))),
      ],
    };
  }
  const broke = told.balances.filter((balance) => balance.refuses);
  const also = [
    ...(rates.length > 0 ? [words.ratesRefuse(words.and(rates.map((rate) => rate.standing.name)))] : []),
    ...(broke.length > 0 ? [words.balancesRefuse(words.and(broke.map((balance) => balance.name)))] : []),
  ];
  if (told.allowed) return { good: true, title: words.allowed[mode], because: also.length > 0 ? also : [words.noLimitRefuses] };
  const refusing = told.limits.filter((limit) => limit.refuses);
  return { good: false, title: words.refused[mode], because: [...refusing.map((limit) => named(limit.name, reason(limit))), ...also] };
}
