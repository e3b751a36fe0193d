/** Why something failed, in words for people. */
import { UNREACHABLE, type ApiFailure } from "$lib/api/errors";
import { formatDeadline, formatRelative, here, span } from "$lib/format/time";
import { session } from "$lib/state/session.svelte";
import { t } from "$lib/strings";

/** A whole sentence: the console's own where the engine's would say nothing to a person. */
export function reasonOf(failure: ApiFailure, now = Date.now()): string {
  if (failure.code === UNREACHABLE) return t.error.notReached;
  if (failure.isSpent) return t.error.spent(againAt(failure.retryAt, now));
  if (failure.isKeyringSilent) return t.error.keyringSilent;
  if (failure.isForbidden && session.scope !== "manage") return t.error.forbidden(session.scope);
  return /[.!?…]$/.test(failure.message) ? failure.message : `${failure.message}.`;
}

/** When a key that has made all its calls may call again: `in 45 seconds`, `in 5 hours (Friday, Nov 27, 18:00)`. */
export function againAt(at: number | null, now: number): string {
  if (at === null) return t.error.later;
  // A moment is never past: it is asked again then.
  const ahead = formatRelative(Math.max(at, now + span.SECOND), now, true);
  return at - now < span.HOUR ? ahead : `${ahead} (${formatDeadline(at, now, here)})`;
}
