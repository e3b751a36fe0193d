/** Says that an alert was looked at. */
import { titleOf } from "$lib/alert-words";
import { asFailure } from "$lib/api/errors";
import type { Alert } from "$lib/api/types";
import { call } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";

export async function acknowledge(alert: Alert): Promise<void> {
  try {
    await call("alerts.acknowledge", { id: alert.id });
    toasts.show(t.alerts.acknowledged(titleOf(alert)));
  } catch (thrown) {
    toasts.show(t.error.failed(asFailure(thrown).message), { tone: "danger" });
  }
}
