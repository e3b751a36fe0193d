import type { Q } from "$lib/api/types";
import { add, pixels, subtract } from "$lib/format/quantity";

/** One line, or one layer of bars. */
export interface ChartSeries {
  id: string;
  label: string;
  values: (Q | null)[];
  /** Over the whole range; not always the sum of the values. */
  total: Q | null;
  /** What is left beyond the named ones. */
  rest?: boolean;
  /** A colour of its own, by name: `--danger`. */
  colour?: string;
}

export interface ChartData {
  /** Where each bucket starts and ends, in milliseconds. */
  starts: number[];
  ends: number[];
  series: ChartSeries[];
}

/** Stacked bars as overlapping ones: each layer reaches from zero to the sum of itself and those below. */
export function stack(series: readonly ChartSeries[], hidden: ReadonlySet<string>): (number | null)[][] {
  const length = series[0]?.values.length ?? 0;
  const sums: (Q | null)[] = Array.from({ length }, () => null);
  return series.map((layer) => {
    if (hidden.has(layer.id)) return Array.from({ length }, () => null);
    return layer.values.map((value, i) => {
      if (value === null) return sums[i] === null ? null : pixels(sums[i]!);
      const sum = sums[i] === null ? value : add(sums[i]!, value);
      sums[i] = sum;
      return pixels(sum);
    });
  });
}

/** What the named groups leave over, exactly; null where nothing is left. */
export function remainder(whole: ChartSeries, parts: readonly ChartSeries[], id: string, label: string): ChartSeries | null {
  const less = (value: Q | null, of: (Q | null)[]) =>
    value === null ? null : of.reduce<Q>((left, part) => (part === null ? left : subtract(left, part)), value);
  const values = whole.values.map((value, i) =>
    less(
      value,
      parts.map((part) => part.values[i] ?? null),
    ),
  );
  if (values.every((value) => value === null || value === "0")) return null;
  return { id, label, values, rest: true, total: less(whole.total, parts.map((part) => part.total)) };
}
