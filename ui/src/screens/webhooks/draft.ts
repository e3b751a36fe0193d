/** A webhook as it is written in its form. */
import { fieldErrors, type ApiFailure } from "$lib/api/errors";
import type { NewWebhook, Req, Webhook, WebhookEventType } from "$lib/api/types";
import { t } from "$lib/strings";

/** In the order in which they are offered. */
export const TYPES: readonly WebhookEventType[] = [
  "limit.threshold_reached",
  "limit.exceeded",
  "balance.low",
  "balance.top_up",
  "usage.summary",
  "alerts.summary",
];

export interface Draft {
  url: string;
  description: string;
  everything: boolean;
  types: readonly WebhookEventType[];
  allowPrivate: boolean;
}

export const emptyDraft: Draft = { url: "", description: "", everything: true, types: [], allowPrivate: false };

export function draftOf(webhook: Webhook): Draft {
  return {
    url: webhook.url,
    description: webhook.description ?? "",
    everything: webhook.eventTypes === null,
    types: webhook.eventTypes ?? [],
    allowPrivate: webhook.allowPrivate,
  };
}

export function read(draft: Draft): Required<Pick<NewWebhook, "url" | "description" | "eventTypes" | "allowPrivate">> {
  return {
    url: draft.url.trim(),
    description: draft.description.trim() || null,
    eventTypes: draft.everything ? null : [...draft.types],
    allowPrivate: draft.allowPrivate,
  };
}

/** What is wrong with which field. What the API would have said of an address is ticked here. */
export function wrong(failure: ApiFailure | null): Record<string, string> {
  const errors = fieldErrors(failure);
  return errors.url?.includes("“allowPrivate”") ? { ...errors, url: t.webhooks.form.isPrivate } : errors;
}

type Change = Omit<Req<"webhooks.update">, "id">;

/** Only what differs from what is recorded. */
export function changes(draft: Draft, before: Webhook): Change {
  const written = read(draft);
  const change: Change = {};
  if (written.url !== before.url) change.url = written.url;
  if (written.description !== before.description) change.description = written.description;
  if (!sameTypes(written.eventTypes, before.eventTypes)) change.eventTypes = written.eventTypes;
  if (written.allowPrivate !== before.allowPrivate) change.allowPrivate = written.allowPrivate;
  return change;
}

/** The change that takes another one back. */
export function reverse(change: Change, before: Webhook): Change {
  return Object.fromEntries(Object.keys(change).map((name) => [name, before[name as keyof Webhook]])) as Change;
}

function sameTypes(a: readonly WebhookEventType[] | null, b: readonly WebhookEventType[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((type) => b.includes(type));
}
