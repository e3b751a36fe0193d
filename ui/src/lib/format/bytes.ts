import { locale } from "$lib/env/locale";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A file's size: `18.9 MB`. Files are measured, not metered, so rounding is fine. */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1_000 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit++;
  }
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: UNITS[unit]!,
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: size < 100 && unit > 0 ? 1 : 0,
  }).format(size);
}
