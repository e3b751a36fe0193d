/**
 * Exact decimals. A quantity is text from the wire to the screen: it is formatted, compared and divided as whole
 * numbers of 10^-9, never as a float. `pixels` is the one way to a number, for drawing and nothing else.
 */
import { locale } from "$lib/env/locale";
import type { Q } from "$lib/api/types";

const SCALE = 9;
const ONE = 10n ** BigInt(SCALE);
const SHAPE = /^(-?)(\d+)(?:\.(\d{1,9}))?$/;

/** Thin enough not to look like a gap between two numbers, and it never breaks a line. */
const THIN = "\u202f";

/** The quantity in units of 10^-9. */
export function nanos(q: Q): bigint {
  const match = SHAPE.exec(q);
  if (!match) throw new RangeError(`not a quantity: ${q}`);
  const [, sign, whole, fraction = ""] = match;
  const units = BigInt(whole!) * ONE + BigInt(fraction.padEnd(SCALE, "0"));
  return sign ? -units : units;
}

/** Back from units of 10^-9, without superfluous zeros. */
export function quantity(units: bigint): Q {
  const sign = units < 0n ? "-" : "";
  const abs = units < 0n ? -units : units;
  const fraction = (abs % ONE).toString().padStart(SCALE, "0").replace(/0+$/, "");
  return `${sign}${abs / ONE}${fraction && `.${fraction}`}` as Q;
}

export const zero = "0" as Q;

export function compare(a: Q, b: Q): -1 | 0 | 1 {
  const [x, y] = [nanos(a), nanos(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

export function add(a: Q, b: Q): Q {
  return quantity(nanos(a) + nanos(b));
}

export function subtract(a: Q, b: Q): Q {
  return quantity(nanos(a) - nanos(b));
}

/** `part` as per cent of `whole`, cut (never rounded up) to two digits; null where there is no whole. */
export function percentOf(part: Q, whole: Q): Q | null {
  const of = nanos(whole);
  if (of === 0n) return null;
  return quantity(((nanos(part) * 10_000n) / of) * (ONE / 100n));
}

/** For positions and widths on screen only. */
export function pixels(q: Q): number {
  return Number(q);
}

const plainFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: SCALE });

/** `Intl` formats decimal text exactly, but its types do not know yet. */
function exactly(format: Intl.NumberFormat, q: string): string {
  return format.format(q as unknown as number);
}

/** Every digit, grouped as the locale does: `1,234,567.25`. */
export function formatExact(q: Q, unit?: string | null): string {
  return withUnit(exactly(plainFormat, q), unit);
}

/** The same from a count that JSON carries as a whole number. */
export function formatCount(count: number, unit?: string | null): string {
  return withUnit(plainFormat.format(count), unit);
}

function withUnit(number: string, unit: string | null | undefined): string {
  return unit ? `${number}${THIN}${unit}` : number;
}

const compactFormat = new Intl.NumberFormat(locale, {
  notation: "compact",
  maximumSignificantDigits: 3,
});

/**
 * Short: `58.4M`. Cut to three digits rather than rounded, so that 999,950 of 1,000,000 never reads `1M`.
 * The exact value belongs beside it, on hover.
 */
export function formatCompact(q: Q, unit?: string | null): string {
  const units = nanos(q);
  const abs = units < 0n ? -units : units;
  if (abs < 10_000n * ONE) {
    const cents = quantity((units / (ONE / 100n)) * (ONE / 100n));
    return withUnit(exactly(plainFormat, abs < ONE / 100n ? q : cents), unit);
  }
  const step = 10n ** BigInt(abs.toString().length - 3);
  return withUnit(exactly(compactFormat, quantity((units / step) * step)), unit);
}

/** A count, short. */
export function compactCount(count: number): string {
  return formatCompact(String(Math.trunc(count)) as Q);
}

const percentFormat = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 2 });

/**
 * Per cent as the engine sends it (cut to two digits), shown with `digits` decimals, cut again: 99.97 with one
 * digit is 99.9 %, and only what has reached 100 reads 100 %.
 */
export function formatPercent(percent: Q, digits: 0 | 1 | 2 = 1): string {
  const step = ONE / 10n ** BigInt(digits);
  const cut = (nanos(percent) / step) * step;
  return exactly(percentFormat, quantity(cut / 100n));
}

/** The change from one value to another: `+12.5 %`, `−3 %`; null where there was nothing before. */
export function formatChange(now: Q, before: Q): string | null {
  const change = percentOf(subtract(now, before), before);
  if (change === null) return null;
  const text = formatPercent(change, 1);
  return nanos(change) > 0n ? `+${text}` : text;
}
