import { describe, expect, it } from "vitest";
import type { Q } from "$lib/api/types";
import { fieldText, numberStyle, parseQuantity } from "./field";
import { formatExact } from "./quantity";

const Q = (text: string) => text as Q;

/** What is typed, and what it is; null where it is refused. */
const TABLES: Record<string, Record<string, string | null>> = {
  "en-US": {
    "1.5": "1.5",
    "1,000": "1000",
    "1,000.50": "1000.5",
    "1,234,567.125": "1234567.125",
    "12,345": "12345",
    "1.000": "1",
    "1 000": "1000",
    "1'000": "1000",
    "1_000_000": "1000000",
    "-1,000": "-1000",
    "+10,000": "10000",
    "1,5": null,
    "1,50": null,
    "1,5000": null,
    "1.000,50": null,
    "1,000,50": null,
    "1.000,500": null,
    "1.0,00": null,
    "1,000 000": null,
    "1000,000": null,
    "1234,567": null,
    "0,500": null,
    ",500": null,
    "1,,000": null,
    "1,000,": null,
    "1. 5": null,
    "1 5": null,
    "1.2.3": null,
  },
  "de-DE": {
    "1,5": "1.5",
    "1.000,50": "1000.5",
    "1.234.567": "1234567",
    "1.234.567,125": "1234567.125",
    "1,125": "1.125",
    "1000": "1000",
    "1 000": "1000",
    "1.5": "1.5",
    "1.50": "1.5",
    "1.2345": "1.2345",
    "0.125": "0.125",
    "1234.567": "1234.567",
    "-1.5": "-1.5",
    "1.000": null,
    "12.345": null,
    "-999.999": null,
    "1,000.50": null,
    "1,000,000": null,
    "1.00.000": null,
    "1.5,5": null,
    "1.0000,5": null,
    "0.125,5": null,
  },
  "fr-FR": {
    "1,5": "1.5",
    "1\u202f000": "1000",
    "1\u00a0000": "1000",
    "1 000": "1000",
    "1\u202f234\u202f567,125": "1234567.125",
    "1.5": "1.5",
    "0.125": "0.125",
    "1.000": null,
    "1.234.567": null,
    "1\u202f5": null,
    "10\u202f00": null,
    "1,000\u202f000": null,
    "1\u202f000.5": null,
  },
  "en-IN": {
    "1.5": "1.5",
    "1,000": "1000",
    "12,345": "12345",
    "1,23,456": "123456",
    "12,34,567.125": "1234567.125",
    "1,23,45,678": "12345678",
    "123456": "123456",
    "123,456": null,
    "1,234,567": null,
    "1,23": null,
    "1,5": null,
    "12,34": null,
  },
  "de-CH": {
    "1.5": "1.5",
    "1'000": "1000",
    "1’000": "1000",
    "1’234’567.125": "1234567.125",
    "1 000": "1000",
    "1.000": "1",
    "1'5": null,
    "1'0000": null,
    "1,5": null,
    "1,000": null,
    "1.000'5": null,
    "1'234’567": "1234567",
  },
};

/** Values of every length, with and without a fraction, of either sign. */
const VALUES = [
  ...Array.from({ length: 18 }, (_unused, i) => "123456789012345678".slice(0, i + 1)),
  ...Array.from({ length: 18 }, (_unused, i) => `1${"0".repeat(i)}`),
]
  .flatMap((whole) => [whole, `${whole}.5`, `${whole}.25`, `${whole}.125`, `${whole}.000000001`])
  .concat("0", "0.5", "0.125", "0.000000001", "999999999999999999.999999999")
  .flatMap((value) => (value === "0" ? [value] : [value, `-${value}`]))
  .map(Q);

describe.each(Object.entries(TABLES))("numbers typed in %s", (locale, table) => {
  const style = numberStyle(locale);

  it.each(Object.entries(table))("%j is %j", (typed, value) => {
    expect(style.read(typed).value).toBe(value);
  });

  it("are refused where a mark stands anywhere but in its place", () => {
    for (const mark of [",", ".", "'", " ", "\u202f"]) {
      for (const digits of ["12", "1234", "12345", "1234567"]) {
        for (let at = 1; at < digits.length; at++) {
          const typed = digits.slice(0, at) + mark + digits.slice(at);
          const { value } = style.read(typed);
          const decimal = mark === "." || mark === style.write(Q("0.5")).charAt(1) ? `${digits.slice(0, at)}.${digits.slice(at)}` : null;
          // Either a decimal number, or the digits as they stand in groups of three: never anything else.
          const grouped = digits.length - at === 3 && at <= 3 ? digits : null;
          expect([null, grouped, decimal], typed).toContain(value);
        }
      }
    }
  });
});

describe.each([...Object.keys(TABLES), "es-ES", "pl-PL", "pt-PT", "sv-SE", "ar-EG", "fa-IR", "hi-IN", "he-IL", "ja-JP"])("fields in %s", (locale) => {
  const style = numberStyle(locale);

  it("read what the console writes into them as the same value", () => {
    for (const value of VALUES) expect(style.read(style.write(value)), style.write(value)).toEqual({ value });
  });

  it("take what the locale itself writes, or say that it can be read in two ways", () => {
    const format = new Intl.NumberFormat(locale, { maximumFractionDigits: 9 });
    for (const value of VALUES) {
      const reading = style.read(format.format(value as unknown as number));
      if (reading.value === null) expect(reading).toMatchObject({ why: "twoWays", grouped: value });
      else expect(reading.value).toBe(value);
    }
  });
});

describe("a number that is not taken", () => {
  it("says why", () => {
    const { read } = numberStyle("en-US");
    expect(read(" ")).toMatchObject({ why: "empty" });
    expect(read("1,5")).toMatchObject({ why: "shape" });
    expect(read("12.3456789012")).toMatchObject({ why: "fraction" });
    expect(read("1234567890123456789")).toMatchObject({ why: "size" });
    expect(numberStyle("de-DE").read("-1.250")).toEqual({ value: null, why: "twoWays", grouped: "-1250", decimal: "-1.25" });
  });

  it("is whatever is no number", () => {
    for (const bad of ["", "abc", "1e9", "1.0000000001", "1234567890123456789", "1.2.3", "-", "+-1", "--1", ".5", "0x10", "½"]) {
      expect(parseQuantity(bad), bad).toBeNull();
    }
  });
});

describe("fields in the locale of the console", () => {
  it("take a number in every usual spelling", () => {
    expect(parseQuantity(" 1,000,000.50 ")).toBe("1000000.5");
    expect(parseQuantity("10 000")).toBe("10000");
    expect(parseQuantity("007")).toBe("7");
    expect(parseQuantity("5.")).toBe("5");
    expect(parseQuantity("+ 5")).toBe("5");
  });

  it("show it as the rest of the console does", () => {
    for (const value of VALUES) expect(fieldText(value)).toBe(formatExact(value));
  });
});
