import { describe, expect, it } from "vitest";
import { guardLocale, usableLocale } from "./locale";

const fake = (language: unknown, languages: unknown) => ({ language, languages }) as unknown as Navigator;

describe("the locale guard", () => {
  it("passes over names that are no language", () => {
    expect(usableLocale(["C", "POSIX", "", undefined, null])).toBe("en-US");
    expect(usableLocale(["c", "x_y_z!!", "de-CH"])).toBe("de-CH");
  });

  it("reads POSIX forms", () => {
    expect(usableLocale(["de_DE.UTF-8"])).toBe("de-DE");
    expect(usableLocale(["ca_ES@valencia"])).toBe("ca-ES");
    expect(usableLocale(["C.UTF-8"])).toBe("en-US");
  });

  it("leaves a good browser alone", () => {
    const nav = fake("fr-FR", ["fr-FR", "en"]);
    expect(guardLocale(nav)).toBe("fr-FR");
    expect(nav.language).toBe("fr-FR");
    expect(nav.languages).toEqual(["fr-FR", "en"]);
  });

  it("replaces a language that Intl refuses, so that a chart library that trusts it loads", () => {
    const nav = fake("C", ["C"]);
    expect(() => new Intl.NumberFormat(nav.language)).toThrow(RangeError);
    guardLocale(nav);
    expect(new Intl.NumberFormat(nav.language).format(1234.5)).toBe("1,234.5");
    expect(nav.languages).toEqual(["en-US"]);
  });

  it("bears a browser that reports nothing", () => {
    const nav = fake(undefined, undefined);
    expect(guardLocale(nav)).toBe("en-US");
    expect(nav.language).toBe("en-US");
  });
});
