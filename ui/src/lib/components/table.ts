import type { Snippet } from "svelte";
import type { Time } from "$lib/api/types";
import type { Cell } from "$lib/csv";
import { locale } from "$lib/env/locale";
import { millis } from "$lib/format/time";

/** As words are sorted: without regard to case, and numbers in them as numbers. */
export const byWords = new Intl.Collator(locale, { numeric: true }).compare;

/** As instants are sorted; never is before all. */
export const byTime = (a: Time | null | undefined, b: Time | null | undefined): number => (a ? millis(a) : 0) - (b ? millis(b) : 0);

export type Direction = "ascending" | "descending";

type Sorting = Pick<Column<never>, "sort" | "descending" | "reverse">;

/** Which way an order of the engine sorts by a column; null where it sorts by another. */
export function directionIn(sort: string | undefined, column: Sorting): Direction | null {
  if (sort === undefined || (sort !== column.sort && sort !== column.reverse)) return null;
  return !!column.descending === (sort === column.sort) ? "descending" : "ascending";
}

/** What a click on a column's header asks for: to sort by it; where that is so, the other way, or else the list's own order, null. */
export function orderAfter(sort: string | undefined, column: Sorting): string | null {
  return (sort === column.sort ? column.reverse : column.sort) ?? null;
}

export interface Column<T> {
  id: string;
  title: string;
  /** What the cell says; also what the CSV holds unless `csv` says otherwise. */
  text: (row: T) => string;
  /** Draws the cell where text is not enough. */
  cell?: Snippet<[T]>;
  /** Exact and unformatted, for the CSV; null where there is nothing to write of it. */
  csv?: ((row: T) => Cell) | null;
  /** A grid track: `12rem`, `minmax(10rem, 2fr)`. */
  width?: string;
  align?: "end";
  /** The engine can sort by this: its name there. */
  sort?: string;
  /** It sorts from the greatest, or newest, down. */
  descending?: boolean;
  /** The engine can also sort by this the other way: its name for that. */
  reverse?: string;
  /** Sorts the rows at hand; offered only where they are all there are. */
  compare?: (a: T, b: T) => number;
  /** Cannot be taken away. */
  fixed?: boolean;
  /** Not shown until chosen. */
  hidden?: boolean;
}

/** How the column of a log's times sorts: newest first, and oldest. */
export const AGE = { sort: "newest", descending: true, reverse: "oldest" } as const;
