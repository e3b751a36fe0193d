/**
 * Makes the browser's language usable before anything else loads.
 *
 * Under `LANG=C` the desktop's web view reports the language "C". Every `Intl` constructor that is handed it throws, and the
 * chart library does so while its module loads: the window would stay white, without a message. So `main.ts` imports
 * this module before any other, and this module imports nothing.
 */

const FALLBACK = "en-US";

/** The first of the candidates that `Intl` accepts. POSIX forms such as `de_DE.UTF-8` count as `de-DE`. */
export function usableLocale(candidates: readonly (string | null | undefined)[]): string {
  for (const candidate of candidates) {
    const tag = (candidate ?? "").split(/[.@]/)[0]!.replaceAll("_", "-");
    if (tag === "" || tag.toUpperCase() === "C" || tag.toUpperCase() === "POSIX") continue;
    try {
      if (Intl.NumberFormat.supportedLocalesOf(tag).length > 0) return new Intl.Locale(tag).toString();
    } catch {
      // Not a language tag at all: the next candidate may be one.
    }
  }
  return FALLBACK;
}

/** Replaces `navigator.language` and `navigator.languages` where `Intl` would refuse them; answers the locale in force. */
export function guardLocale(nav: Navigator): string {
  const reported = [nav.language, ...(nav.languages ?? [])];
  const locale = usableLocale(reported);
  if (!accepted(nav.language)) {
    Object.defineProperty(nav, "language", { value: locale, configurable: true });
  }
  if (!nav.languages?.length || !nav.languages.every(accepted)) {
    Object.defineProperty(nav, "languages", { value: Object.freeze([locale]), configurable: true });
  }
  return locale;
}

function accepted(tag: string | undefined): boolean {
  if (!tag) return false;
  try {
    new Intl.NumberFormat(tag);
    return true;
  } catch {
    return false;
  }
}

/** The zone of whoever looks at the screen; UTC where the system does not say or says one that `Intl` does not know. */
export function viewerZone(): string {
  try {
    const zone = new Intl.DateTimeFormat(FALLBACK).resolvedOptions().timeZone;
    new Intl.DateTimeFormat(FALLBACK, { timeZone: zone });
    return zone || "UTC";
  } catch {
    return "UTC";
  }
}

/** The locale of the console, settled once at start. */
export const locale = guardLocale(navigator);
