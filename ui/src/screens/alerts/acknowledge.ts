/** Says that an alert was looked at. */
import { titleOf } from "$lib/alert-words";
import type { Alert } from "$lib/api/types";
import { attempt } from "$lib/attempt";
import { call } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";

export async function acknowledge(alert: Alert): Promise<void> {
  await attempt(async () => {
    await call("alerts.acknowledge", { id: alert.id });
    toasts.show(t.alerts.acknowledged(titleOf(alert)));
  });
}
