/** Watches whom a limit being written would stop, by what is recorded at this moment. */
import type { ApiFailure } from "$lib/api/errors";
import type { Limit } from "$lib/api/types";
import { readOn } from "$lib/state/all.svelte";
import { debounced } from "$lib/state/debounced.svelte";
import { live } from "$lib/state/live.svelte";
import { paged } from "$lib/state/paged.svelte";
import { compare } from "$lib/format/quantity";
import { valueOf, type Draft } from "./draft";
import { judge, refusing, replaced, sourceFor, usedOf, type Impact, type Source } from "./impact";

/** Beyond this many it is enough to say that there are more. */
const MOST = 1_000;
/** A default may have to be looked up against this many limits of customers' own. */
const MOST_OWN = 1_000;

export interface Watched {
  /** Null while it is looked up, and where it cannot be known. */
  readonly impact: Impact | null;
  readonly source: Source;
  readonly busy: boolean;
  readonly failure: ApiFailure | null;
}

/** Must be called while a component is set up. `before` is the limit as it is in force, where it is one. */
export function watchImpact(draft: () => Draft | null, before: () => Limit | null): Watched {
  const value = $derived.by(() => {
    const written = draft();
    return written === null ? null : valueOf(written);
  });
  const asked = debounced(() => {
    const written = draft();
    if (written === null || value === null) return null;
    const { meterId, period, dimensions, customerId } = written;
    return { source: sourceFor(written, before()), meterId, period, dimensions, customerId };
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

  const usage = live(
    "meters.query",
    () =>
      what?.source === "usage"
        ? {
            id: what.meterId,
            customerId: what.customerId || undefined,
            dimensions: Object.keys(what.dimensions).length > 0 ? what.dimensions : undefined,
            groupBy: ["customer_id"],
            groupLimit: MOST,
          }
        : null,
    { topics: ["events", "meters"] },
  );
  const own = paged(
    "limits.list",
    () => (what?.source === "usage" && what.customerId === "" ? { meterId: what.meterId } : null),
    { topics: ["limits"], key: (limit) => limit.id },
  );
  readOn(own, () => own.rows.length >= MOST_OWN);

  const waiting = $derived(asked.waiting || usage.outdated || standings.outdated || own.outdated);

  const impact = $derived.by((): Impact | null => {
    if (value === null || what === null || waiting) return null;
    const inForce = before();
    if (what.source === "standings") {
      if (standings.loading || standings.failed) return null;
      return judge(standings.rows.map(usedOf), value, refusing(inForce), standings.hasMore);
    }
    if (what.source !== "usage" || !usage.data || (what.customerId === "" && (own.loading || own.hasMore))) return null;
    const others = replaced(
      own.rows.filter((limit) => limit.id !== inForce?.id),
      what,
    );
    const customers = usage.data.groups.flatMap(({ key, value: used }) => {
      const customerId = key.customer_id;
      return customerId && used !== null && !others.has(customerId) ? [{ customerId, used }] : [];
    });
    return judge(customers, value, null, usage.data.moreGroups);
  });

  return {
    get impact() {
      return impact;
    },
    get source() {
      // A list of own limits too long to read leaves it unknown.
      if (what?.source === "usage" && own.hasMore && own.rows.length >= MOST_OWN) return null;
      return what?.source ?? null;
    },
    get busy() {
      return value !== null && impact === null && what?.source !== null && this.failure === null;
    },
    get failure() {
      return what?.source === "standings" ? standings.failed : what?.source === "usage" ? (usage.failed ?? own.failed) : null;
    },
  };
}
