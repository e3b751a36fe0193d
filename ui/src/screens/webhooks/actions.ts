/** What is done to a webhook from its row and from its own screen alike. Each says what came of it. */
import type { Webhook } from "$lib/api/types";
import { attempt } from "$lib/attempt";
import { href, router } from "$lib/state/router.svelte";
import { call } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";

const words = t.webhooks;

/** Sends a ping and opens its delivery, which is shown until it ended. */
export const test = ({ id }: Webhook) =>
  attempt(async () => {
    const delivery = await call("webhooks.test", { id });
    router.go(href("webhooks", id, { delivery: delivery.id }));
  });

/** Of one that is on already, what waits is tried at once. */
export const turnOn = ({ id, enabled }: Webhook) =>
  attempt(async () => {
    await call("webhooks.enable", { id });
    toasts.show(enabled ? words.triedNow : words.turnedOn);
  });

export const turnOff = (webhook: Webhook) =>
  attempt(async () => {
    await call("webhooks.update", { id: webhook.id, enabled: false });
    toasts.show(words.turnedOff, { action: { label: t.undo, run: () => void turnOn({ ...webhook, enabled: false }) } });
  });

export const archive = ({ id }: Webhook) =>
  attempt(async () => {
    await call("webhooks.archive", { id });
    toasts.show(words.archivedDone);
  });
