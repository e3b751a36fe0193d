/** What gives a raise, and takes it back: each the other's undo. */
import type { Standing } from "$lib/api/types";
import { attempt } from "$lib/attempt";
import { call } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";
import { amount, ownValue } from "./raise";

/** Puts the raise that stood then into force again. */
export function raiseAgain(then: Standing, customerId: string): Promise<void> {
  const { until, note } = then.raised!;
  return attempt(async () => {
    await call("limits.raise", { id: then.limitId, customerId, limitValue: then.limit, until, note });
    toasts.show(t.undone);
  });
}

/** Takes back a raise that was just given. */
export function endRaise(then: Standing, customerId: string): Promise<void> {
  return attempt(async () => {
    await call("limits.end_raise", { id: then.limitId, customerId });
    toasts.show(t.undone);
  });
}

/** Takes the raise in force back, and offers to give it again. */
export function takeBack(standing: Standing, customerId: string): Promise<void> {
  const [own] = amount(ownValue(standing), standing);
  return attempt(async () => {
    await call("limits.end_raise", { id: standing.limitId, customerId });
    toasts.show(t.exceptions.raise.ended(standing.name, own, customerId), { action: { label: t.undo, run: () => raiseAgain(standing, customerId) } });
  });
}
