/** What gives a raise, and takes it back: each the other's undo. */
import { asFailure } from "$lib/api/errors";
import type { Standing } from "$lib/api/types";
import { call } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";
import { amount, ownValue } from "./raise";

async function attempt(work: () => Promise<unknown>, done: string, undo?: () => Promise<void>): Promise<void> {
  try {
    await work();
    toasts.show(done, undo ? { action: { label: t.undo, run: undo } } : {});
  } catch (thrown) {
    toasts.show(t.error.failed(asFailure(thrown).message), { tone: "danger" });
  }
}

/** Puts the raise that stood then into force again. */
export function raiseAgain(then: Standing, customerId: string): Promise<void> {
  const { until, note } = then.raised!;
  return attempt(() => call("limits.raise", { id: then.limitId, customerId, limitValue: then.limit, until, note }), t.undone);
}

/** Takes back a raise that was just given. */
export function endRaise(then: Standing, customerId: string): Promise<void> {
  return attempt(() => call("limits.end_raise", { id: then.limitId, customerId }), t.undone);
}

/** Takes the raise in force back, and offers to give it again. */
export function takeBack(standing: Standing, customerId: string): Promise<void> {
  const [own] = amount(ownValue(standing), standing);
  return attempt(
    () => call("limits.end_raise", { id: standing.limitId, customerId }),
    t.exceptions.raise.ended(standing.name, own, customerId),
    () => raiseAgain(standing, customerId),
  );
}
