/**
 * Numbers as they are written into fields. A mark between digits is money: it counts only where the locale puts it, and
 * what could be read in two ways is not read at all.
 */
import { locale } from "$lib/env/locale";
import type { Q } from "$lib/api/types";
import { nanos, quantity } from "./quantity";

const MOST_FRACTION = 9;
const MOST_WHOLE = 18;

export type Reading =
  | { value: Q }
  | { value: null; why: "empty" | "shape" | "fraction" | "size" }
  /** A point before three digits, where the locale has it for no decimal mark: what the two would be. */
  | { value: null; why: "twoWays"; grouped: Q; decimal: Q };

export interface NumberStyle {
  /** What a person typed. */
  read(text: string): Reading;
  /** A value as it is put into a field: grouped as the locale does unless that could be misread. Reads back as the same. */
  write(q: Q): string;
}

/** How numbers are written in a locale, told from what `Intl` makes of some. */
export function numberStyle(locale: string): NumberStyle {
  const grouping = new Intl.NumberFormat(locale, { maximumFractionDigits: MOST_FRACTION });
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: MOST_FRACTION, useGrouping: false });
  const parts = grouping.formatToParts(1234567890123.5);
  const decimal = parts.find((part) => part.type === "decimal")?.value ?? ".";
  const group = asOneMark(parts.find((part) => part.type === "group")?.value ?? " ");
  const sizes = parts.flatMap((part) => (part.type === "integer" ? [part.value.length] : []));
  /** Of the last group, and of those before it: 3 and 2 in India. */
  const [last, others] = sizes.length > 2 ? [sizes.at(-1)!, sizes.at(-2)!] : [3, 3];
  const digits = new Map(Array.from({ length: 10 }, (_unused, digit) => [plain.format(digit), String(digit)]));
  const marks = new Set([group, " ", "'", "_"].filter((mark) => mark !== decimal));

  function ungrouped(text: string): string | null {
    const mark = /\D/.exec(text)?.[0];
    if (mark === undefined) return text;
    if (!marks.has(mark)) return null;
    const groups = text.split(mark);
    const right = groups.every((each, place) => {
      if (!/^\d+$/.test(each)) return false;
      if (place === 0) return each.length <= others && !each.startsWith("0");
      return each.length === (place === groups.length - 1 ? last : others);
    });
    return right ? groups.join("") : null;
  }

  function read(text: string): Reading {
    const typed = asOneMark([...text.trim()].map((char) => digits.get(char) ?? char).join(""));
    if (typed === "") return { value: null, why: "empty" };
    const [, sign = "", body = ""] = /^([+-]?) ?(.*)$/.exec(typed) ?? [];
    const point = decimal === "." ? null : /^(0|[1-9]\d*)\.(\d+)$/.exec(body);
    if (point) {
      const [, before = "", after = ""] = point;
      const both = exact(sign, before, after);
      if (both.value !== null && before !== "0" && before.length <= 3 && after.length === 3) {
        return { value: null, why: "twoWays", grouped: signed(sign, before + after), decimal: both.value };
      }
      return both;
    }
    const [before = "", after = "", ...more] = body.split(decimal);
    const whole = ungrouped(before);
    if (more.length > 0 || !whole || !/^\d*$/.test(after)) return { value: null, why: "shape" };
    return exact(sign, whole, after);
  }

  function write(q: Q): string {
    const text = exactly(grouping, q);
    return read(text).value === q ? text : exactly(plain, q);
  }

  return { read, write };
}

function exact(sign: string, whole: string, fraction: string): Reading {
  if (fraction.length > MOST_FRACTION) return { value: null, why: "fraction" };
  if (whole.length > MOST_WHOLE) return { value: null, why: "size" };
  return { value: signed(sign, `${whole}.${fraction.padEnd(1, "0")}`) };
}

function signed(sign: string, text: string): Q {
  return quantity(nanos(`${sign === "-" ? "-" : ""}${text}` as Q));
}

/** Each kind of mark in one spelling: spaces of any width, straight and curved apostrophes, hyphens for a minus. */
function asOneMark(text: string): string {
  return text
    .replace(/[\u061c\u200e\u200f]/g, "")
    .replace(/\s/g, " ")
    .replaceAll("’", "'")
    .replaceAll("\u2212", "-");
}

/** `Intl` formats decimal text exactly, but its types do not know yet. */
function exactly(format: Intl.NumberFormat, q: Q): string {
  return format.format(q as unknown as number);
}

const own = numberStyle(locale);

export const readQuantity = own.read;

/** What a person typed, as a quantity; null where it is none, or more than one. */
export function parseQuantity(text: string): Q | null {
  return own.read(text).value;
}

/** A quantity as it stands in a field. */
export const fieldText = own.write;

/** The same of a count that JSON carries as a whole number. */
export function fieldCount(count: number): string {
  return own.write(String(count) as Q);
}
