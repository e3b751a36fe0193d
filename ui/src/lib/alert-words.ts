/** Alerts in words. */
import type { Alert, AlertedBalance, AlertedLimit } from "$lib/api/types";
import { formatCount, formatExact } from "$lib/format/quantity";
import { href } from "$lib/state/router.svelte";
import { t } from "$lib/strings";

const words = t.alerts;

type About = Pick<Alert, "limit" | "balance">;

/** “80%” of a limit, “5 credits” of a balance. */
export function thresholdOf({ limit, balance }: About): string {
  if (limit) return `${formatCount(limit.threshold)}%`;
  return balance ? formatExact(balance.threshold, balance.unit) : "";
}

/** “82 of 100 tokens” or “4.5 credits left”, as it was then. */
export function amountOf({ limit, balance }: About): string {
  if (limit) return words.amountOf(formatExact(limit.used), formatExact(limit.value, limit.unit));
  return balance ? words.leftOf(formatExact(balance.currentBalance, balance.unit)) : "";
}

/** The same in a list, where a top-up that is wanted is told from a balance that is low. */
export function stoodOf(about: About): string {
  const wanted = about.balance?.topUpAmount ?? null;
  return wanted === null ? amountOf(about) : words.leftWanting(amountOf(about), formatExact(wanted));
}

/** What it says beside its title: “82 of 100 tokens per day”, “Low at 5 credits or below”. */
export function detailOf({ limit, balance }: About): string {
  if (limit) return words.usedOf(amountOf({ limit, balance: null }), t.limits.per[limit.period]);
  if (!balance) return "";
  const at = thresholdOf({ limit: null, balance });
  return balance.topUpAmount === null ? words.lowAt(at) : words.topUpAt(at);
}

/** “acme crossed 80% of Daily tokens”, “acme: Credits fell to 4.5 credits (threshold 5)”. */
export function titleOf(alert: About & Pick<Alert, "customerId">): string {
  const { customerId, limit, balance } = alert;
  if (limit) return words.crossed(customerId, thresholdOf(alert), limit.name);
  return balance ? words.ofBalance(customerId, fallOf(balance)) : words.one;
}

/** “Credits fell to 4.5 credits (threshold 5)”, “Credits wants a top-up of 100: 4.5 credits left”. */
function fallOf({ name, unit, currentBalance, threshold, topUpAmount }: AlertedBalance): string {
  const left = formatExact(currentBalance, unit);
  return topUpAmount === null ? words.fell(name, left, formatExact(threshold)) : words.wantsTopUp(name, formatExact(topUpAmount), left);
}

/** What it is about, and where that is looked at. */
export function aboutOf({ limit, balance }: About): { name: string; link: string } | null {
  const about: [string, Pick<AlertedLimit | AlertedBalance, "id" | "name">] | null = limit ? ["limits", limit] : balance ? ["balances", balance] : null;
  return about && { name: about[1].name, link: href(about[0], about[1].id) };
}

/** Where it is dealt with: the customer's standing, or the balance itself. */
export function addressOf(alert: About & Pick<Alert, "customerId">): string {
  return alert.balance ? href("balances", alert.balance.id) : href("customers", alert.customerId);
}
