import { attempt } from "$lib/attempt";
import { session } from "$lib/state/session.svelte";

/** Signs out, and says so when that fails. */
export async function signOut(): Promise<void> {
  await attempt(() => session.signOut());
}
