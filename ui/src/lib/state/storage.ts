/** Small choices that outlive a visit. A browser that refuses storage keeps them for the visit only. */

const PREFIX = "weir.";
const memory = new Map<string, string>();

export function remember(name: string, value: unknown): void {
  const text = JSON.stringify(value);
  memory.set(name, text);
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {
    // Storage is full or forbidden; `memory` has it.
  }
}

export function recall<T>(name: string, fallback: T): T {
  let text = memory.get(name) ?? null;
  try {
    text ??= localStorage.getItem(PREFIX + name);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

/** As `recall`, but as another window of the same browser may have left it. */
export function recallShared<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text !== null) memory.set(name, text);
  } catch {
    // Storage is forbidden: there is only this window's own.
  }
  return recall(name, fallback);
}
