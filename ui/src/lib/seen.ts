/** What recorded events are made of: names and texts to suggest where one has to be given. */
import type { UsageEvent } from "./api/types";

export interface Seen {
  types: string[];
  values: string[];
  /** Each dimension's name, with the texts it had. */
  dimensions: ReadonlyMap<string, readonly string[]>;
}

/** More texts than this of one dimension are ids rather than kinds. */
const MOST_TEXTS = 50;

/** Everything in the order in which it first appears. */
export function seenIn(events: readonly UsageEvent[]): Seen {
  const types = new Set<string>();
  const values = new Set<string>();
  const dimensions = new Map<string, Set<string>>();
  for (const event of events) {
    types.add(event.eventType);
    for (const name of Object.keys(event.values)) values.add(name);
    for (const [name, text] of Object.entries(event.dimensions)) {
      const texts = dimensions.get(name) ?? new Set();
      if (texts.size < MOST_TEXTS) texts.add(text);
      dimensions.set(name, texts);
    }
  }
  return {
    types: [...types],
    values: [...values],
    dimensions: new Map([...dimensions].map(([name, texts]) => [name, [...texts]])),
  };
}

/** Those that hold what is typed; those that begin with it first. */
export function suggest(names: Iterable<string>, typed: string): string[] {
  const wanted = typed.trim().toLowerCase();
  const fitting = [...new Set(names)].filter((name) => name.toLowerCase().includes(wanted));
  const begins = (name: string) => Number(!name.toLowerCase().startsWith(wanted));
  return wanted === "" ? fitting : fitting.sort((a, b) => begins(a) - begins(b));
}
