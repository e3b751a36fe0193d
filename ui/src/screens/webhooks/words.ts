/** Webhooks and deliveries in terms of what a person asks: is it told, did it arrive, and if not, why and when again. */
import type { Delivery, DeliveryAttempt, Webhook, WebhookAttempt } from "$lib/api/types";
import { formatCount } from "$lib/format/quantity";
import { t } from "$lib/strings";

export type WebhookState = "on" | "failing" | "off" | "disabled" | "archived";

export function stateOf(webhook: Pick<Webhook, "archivedAt" | "enabled" | "disabledAt" | "failuresInARow">): WebhookState {
  if (webhook.archivedAt !== null) return "archived";
  if (!webhook.enabled) return webhook.disabledAt === null ? "off" : "disabled";
  return webhook.failuresInARow > 0 ? "failing" : "on";
}

const WORST_FIRST: readonly WebhookState[] = ["disabled", "failing", "off", "on", "archived"];

/** What wants looking after first; of those that fail, what failed most. */
export function byState(a: Webhook, b: Webhook): number {
  return WORST_FIRST.indexOf(stateOf(a)) - WORST_FIRST.indexOf(stateOf(b)) || b.failuresInARow - a.failuresInARow;
}

/** Whether an attempt went well: answered with a status that counts, and nothing against it. */
export function wentWell(attempt: WebhookAttempt): boolean {
  return attempt.error === null && attempt.status !== null && attempt.status >= 200 && attempt.status < 300;
}

/** `200`, `500`, or that there was no answer, short enough for a table. */
export function answerOf(attempt: WebhookAttempt): string {
  return attempt.status === null ? t.webhooks.noAnswer : String(attempt.status);
}

/** Why an attempt does not count, as long as it takes: its status, where that says it all. */
export function faultOf(attempt: WebhookAttempt): string {
  if (attempt.error === null) return attempt.status === null ? t.webhooks.deliveries.noAnswer : answerOf(attempt);
  return attempt.status === null || attempt.error.includes(String(attempt.status)) ? attempt.error : `${attempt.status}, ${attempt.error}`;
}

/** Why an attempt does not count, where its status does not say it all. */
export function moreOf(attempt: WebhookAttempt): string | null {
  const { error, status } = attempt;
  return error === null || (status !== null && error.endsWith(String(status))) ? null : error;
}

export function tookOf(attempt: WebhookAttempt): string {
  return t.webhooks.took(formatCount(attempt.durationMs));
}

/** What holds back a delivery that waits. */
export type Wait = "due" | "retry" | "behind" | "stopped";

export function waitOf(delivery: Delivery, webhook: Pick<Webhook, "archivedAt" | "enabled"> | undefined, now: number): Wait {
  if (webhook && (!webhook.enabled || webhook.archivedAt !== null)) return "stopped";
  if (delivery.nextAttemptAt === null) return "behind";
  return delivery.attempts.length === 0 || Date.parse(delivery.nextAttemptAt) <= now ? "due" : "retry";
}

export function lastOf(delivery: Delivery): DeliveryAttempt | undefined {
  return delivery.attempts.at(-1);
}

/** How a delivery stands, as a sentence. */
export function saidOf(delivery: Delivery, webhook: Webhook | undefined, now: number): string {
  const said = t.webhooks.deliveries.said;
  const last = lastOf(delivery);
  if (delivery.state === "delivered") return last ? said.delivered(answerOf(last), tookOf(last)) : said.deliveredPlain;
  if (delivery.state === "failed") return said.failed(last ? faultOf(last) : t.webhooks.deliveries.noAnswer);
  const wait = waitOf(delivery, webhook, now);
  if (wait === "stopped" || wait === "behind") return said[wait];
  return last ? said.retry(faultOf(last)) : said.sending;
}
