/** Limits as a file: where a fault stands in the text, and a plan in words. */
import type { Limit, StatedLimit, SyncAnswer, SyncChange } from "$lib/api/types";
import { fieldText } from "$lib/format/field";
import { differences, type Difference } from "../audit/facts";
import { sameDimensions, type Draft } from "./draft";

/** The line, from 0, on which a limit of the text stands, or a field of it. Null where the text does not say it that way. */
export function lineOf(text: string, index: number, field?: string): number | null {
  const lines = text.split("\n");
  let table = -1;
  for (const [at, line] of lines.entries()) {
    if (!/^\s*\[\[\s*limit\s*\]\]/.test(line) || ++table < index) continue;
    const name = field?.replace(/^limits\[\d+\]\.?/, "").split(/[.[]/)[0];
    if (!name) return at;
    for (let below = at + 1; below < lines.length && !/^\s*\[/.test(lines[below]!); below++) {
      if (new RegExp(`^\\s*["']?${name.replace(/\W/g, "")}["']?\\s*[=.]`).test(lines[below]!)) return below;
    }
    return at;
  }
  return null;
}

/** Where a line begins and ends in the text. */
export function spanOf(text: string, line: number): [from: number, to: number] {
  const lines = text.split("\n");
  const from = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
  return [from, from + (lines[line]?.length ?? 0)];
}

/** The fields of a change that tell: its name and customer are said beside it. */
export function fieldsOfChange(change: SyncChange): Difference[] {
  if (change.action === "archive") return [];
  const fields = differences({ before: { ...change.before }, after: { ...change.after } });
  return fields.filter(({ field }) => field !== "name" && field !== "customerId");
}

export const changesIn = (plan: SyncAnswer): number => plan.created + plan.updated + plan.archived;

type MeterId = (limit: StatedLimit) => string;

const refuses = (limit: StatedLimit | null | undefined): limit is StatedLimit => !!limit && limit.enabled && limit.enforcement === "hard";

const sameCount = (a: StatedLimit, b: StatedLimit, meterId: MeterId): boolean =>
  meterId(a) === meterId(b) && a.period === b.period && sameDimensions(a.dimensionFilters, b.dimensionFilters);

/** The limit that a change puts into force, where it may refuse whoever goes on today; null where it cannot. */
export function newlyRefusing(change: SyncChange, meterId: MeterId): Draft | null {
  const { before, after } = change;
  if (change.action === "archive" || !refuses(after)) return null;
  if (refuses(before) && before.limitValue === after.limitValue && sameCount(before, after, meterId)) return null;
  return {
    name: change.name,
    meterId: meterId(after),
    value: fieldText(after.limitValue),
    period: after.period,
    customerId: change.customerId ?? "",
    dimensions: after.dimensionFilters,
    thresholds: after.alertThresholds,
    enforcement: after.enforcement,
    enabled: after.enabled,
  };
}

/** Customers to whom the plan gives a limit of their own that takes a default's place. */
export function apartFrom(draft: Draft, plan: SyncAnswer, meterId: MeterId): string[] {
  if (draft.customerId !== "") return [];
  return plan.changes.flatMap(({ action, after, customerId }) => {
    const own = action !== "archive" && after?.enabled && meterId(after) === draft.meterId && after.period === draft.period;
    return own && customerId !== null && sameDimensions(after.dimensionFilters, draft.dimensions) ? [customerId] : [];
  });
}

/** The limit that a change is about, as it is in force. */
export function limitOf(change: SyncChange, limits: readonly Limit[]): Limit | null {
  return limits.find((limit) => !limit.archivedAt && limit.name === change.name && limit.customerId === change.customerId) ?? null;
}
