/** Limits as a file: where a fault stands in the text, and a plan in words. */
import type { SyncAnswer, SyncChange } from "$lib/api/types";
import { differences, type Difference } from "../audit/facts";

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
