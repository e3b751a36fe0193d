import type { Snippet } from "svelte";
import type { Cell } from "$lib/csv";

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
  /** Sorts the rows at hand, for lists that are read whole. */
  compare?: (a: T, b: T) => number;
  /** Cannot be taken away. */
  fixed?: boolean;
  /** Not shown until chosen. */
  hidden?: boolean;
}
