/** What is done at the press of a button, said where it fails. */
import { asFailure } from "$lib/api/errors";
import { reasonOf } from "$lib/failure";
import { toasts, type Toast } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";

/** Does it, and says why where it fails; what came of it says the work itself. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    toasts.show(t.error.failed(reasonOf(asFailure(thrown))), { tone: "danger" });
  }
}

/** For the message that tells of something: what takes it back. */
export function undo(work: () => Promise<unknown>): Pick<Toast, "action"> {
  const run = () =>
    attempt(async () => {
      await work();
      toasts.show(t.undone);
    });
  return { action: { label: t.undo, run } };
}
