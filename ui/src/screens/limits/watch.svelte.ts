/** Watches whom a limit being written would stop, by what is recorded at this moment. */
import type { ApiFailure } from "$lib/api/errors";
import type { Limit } from "$lib/api/types";
import { readOn } from "$lib/state/all.svelte";
import { debounced } from "$lib/state/debounced.svelte";
import { gather } from "$lib/state/live.svelte";
import { paged } from "$lib/state/paged.svelte";
import { call, session } from "$lib/state/session.svelte";
import { compare } from "$lib/format/quantity";
import { valueOf, type Draft } from "./draft";
import { isLetOn, judge, refusing, sourceFor, usedOf, type Impact, type Source } from "./impact";
import { usageOf } from "./usage";
import type { Window } from "./window";

/** Beyond this many it is enough to say that there are more. */
const MOST = 1_000;

export interface Watched {
  /** Null while it is looked up, and where it cannot be known. */
  readonly impact: Impact | null;
  readonly source: Source;
  /** The project's window for which all were counted, where not each was for its own. */
  readonly insteadOfOwn: Window | null;
  readonly busy: boolean;
  readonly failure: ApiFailure | null;
}

/** Must be called while a component is set up. `before` is the limit as it is in force, where it is one; `apart`: who gets a limit of their own at the same time. */
export function watchImpact(draft: () => Draft | null, before: () => Limit | null, apart: () => readonly string[] = () => []): Watched {
  const value = $derived.by(() => {
    const written = draft();
    return written === null ? null : valueOf(written);
  });
  const asked = debounced(() => {
    const written = draft();
    if (written === null || value === null) return null;
    const { meterId, period, dimensions, customerId } = written;
    return { source: sourceFor(written, before()), meterId, period, dimensions, customerId, apart: apart() };
  }, 300);
  const what = $derived(asked.current);

  const standings = paged(
    "limits.standings",
    () => (what?.source === "standings" && before() ? { limitId: before()!.id } : null),
    { topics: ["standings", "limits", "events"], key: (row) => row.customerId },
  );
  // Fullest first: once one stays below both values, so do all that follow.
  readOn(standings, () => {
    const last = standings.rows.at(-1);
    if (!last || value === null || standings.rows.length >= MOST) return true;
    const used = usedOf(last).used;
    const inForce = refusing(before()) ?? value;
    return compare(used, value) < 0 && compare(used, inForce) < 0;
  });

  const usage = gather(
    "limit usage",
    () => (what?.source === "usage" ? { ...what, limitId: before()?.id ?? null } : null),
    (asked, signal) => usageOf(call, asked, session.project?.timezone ?? "UTC", Date.now(), signal),
    { topics: ["events", "meters", "limits", "customers", "project"] },
  );

  const waiting = $derived(asked.waiting || usage.outdated || standings.outdated);

  const impact = $derived.by((): Impact | null => {
    if (value === null || what === null || waiting) return null;
    if (what.source === "standings") {
      if (standings.loading || standings.failed) return null;
      return judge(standings.rows.filter((row) => !isLetOn(row)).map(usedOf), value, refusing(before()), standings.hasMore);
    }
    return usage.data ? judge(usage.data.customers, value, null, usage.data.more) : null;
  });

  return {
    get impact() {
      return impact;
    },
    get source() {
      // Too many limits of customers' own leave it unknown.
      return what?.source === "usage" && usage.data === null ? null : (what?.source ?? null);
    },
    get insteadOfOwn() {
      return impact !== null && what?.source === "usage" ? (usage.data?.insteadOfOwn ?? null) : null;
    },
    get busy() {
      return value !== null && impact === null && this.source !== null && this.failure === null;
    },
    get failure() {
      return what?.source === "standings" ? standings.failed : what?.source === "usage" ? usage.failed : null;
    },
  };
}
