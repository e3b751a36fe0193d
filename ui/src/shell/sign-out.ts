import { asFailure } from "$lib/api/errors";
import { session } from "$lib/state/session.svelte";
import { toasts } from "$lib/state/toasts.svelte";
import { t } from "$lib/strings";

/** Signs out, and says so when that fails. */
export async function signOut(): Promise<void> {
  try {
    await session.signOut();
  } catch (thrown) {
    toasts.show(t.error.failed(asFailure(thrown).message), { tone: "danger" });
  }
}
