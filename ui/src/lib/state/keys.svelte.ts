/** Shortcuts: registered by whoever answers them, for as long as it is on screen, and listed by the help sheet. */
import { untrack } from "svelte";
import { createKeybindingsHandler } from "tinykeys";

export interface Shortcut {
  /** As tinykeys reads them: `g c`, `n`, `$mod+k`. */
  keys: string;
  label: string;
  group: string;
  run: () => void;
}

class Shortcuts {
  #sets = $state.raw<Shortcut[][]>([]);
  /** The newest registration of a key wins: a screen may answer `n` in its own way. */
  readonly all = $derived.by(() => {
    const byKeys = new Map<string, Shortcut>();
    for (const set of this.#sets) for (const shortcut of set) byKeys.set(shortcut.keys, shortcut);
    return [...byKeys.values()];
  });

  add(set: Shortcut[]): () => void {
    this.#sets = [...this.#sets, set];
    return () => {
      this.#sets = this.#sets.filter((other) => other !== set);
    };
  }
}

export const shortcuts = new Shortcuts();

/** Must be called while a component is set up. */
export function useShortcuts(list: () => Shortcut[]): void {
  $effect(() => {
    const set = list();
    return untrack(() => shortcuts.add(set));
  });
}

/** Typing must stay typing, and a dialog must keep its keys. */
function taken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey) return false;
  const target = event.target as Element | null;
  if (target?.closest("input, textarea, select, [contenteditable], [role=menu], [role=listbox]")) return true;
  return document.querySelector("[role=dialog], [role=alertdialog]") !== null;
}

/** What a drawer answers itself, as no shortcut of the screen is heard while it is open: a key by itself, and not for text under the focus. */
export function plainKey(event: KeyboardEvent): string | null {
  const kept = event.ctrlKey || event.metaKey || event.altKey || (event.target as Element).closest("input, pre, summary");
  return kept ? null : event.key;
}

/** Listens on the window; call once, from the root component. */
export function listenForShortcuts(): void {
  // With Ctrl or Cmd a key means the same wherever the focus is, so it is heard before any control takes it for its own:
  // a menu's button opens on Enter, also on Ctrl+Enter, which is Save.
  hear(withModifier, true);
  // Sequences come before single keys, by phase: `g e` must not also be heard as `e`.
  hear((shortcut) => !withModifier(shortcut) && isSequence(shortcut), true);
  hear((shortcut) => !withModifier(shortcut) && !isSequence(shortcut), false);
}

/**
 * Listens to some of the shortcuts. What a key does is looked up when it is pressed, and a kind is listened to anew only where its keys
 * change: a sequence that has begun goes on while the screen that comes up registers keys of its own.
 */
function hear(kind: (shortcut: Shortcut) => boolean, capture: boolean): void {
  const keys = $derived(
    shortcuts.all
      .filter(kind)
      .map((shortcut) => shortcut.keys)
      .sort()
      .join("\n"),
  );
  $effect(() => listen(keys === "" ? [] : keys.split("\n"), capture));
}

function isSequence(shortcut: Shortcut): boolean {
  return shortcut.keys.includes(" ");
}

function withModifier(shortcut: Shortcut): boolean {
  return shortcut.keys.startsWith("$mod+");
}

function listen(list: string[], capture: boolean): () => void {
  const bindings: Record<string, (event: KeyboardEvent) => void> = {};
  for (const keys of list) {
    const answer = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || taken(event)) return;
      const shortcut = shortcuts.all.find((one) => one.keys === keys);
      if (!shortcut) return;
      event.preventDefault();
      if (capture) event.stopPropagation();
      shortcut.run();
    };
    bindings[keys] = answer;
    // A sign that needs Shift on this keyboard is still that sign.
    if (/^[^\w\s$]$/.test(keys)) bindings[`Shift+${keys}`] = answer;
  }
  const handler = createKeybindingsHandler(bindings);
  addEventListener("keydown", handler, { capture });
  return () => removeEventListener("keydown", handler, { capture });
}

export const onMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** `$mod+k` → `["⌘K"]` or `["Ctrl", "K"]`; `g c` → `["G", "C"]`. */
export function keyCaps(keys: string): string[] {
  return keys.split(" ").flatMap((press) => {
    const caps = press.split("+").map((part) => CAPS[part] ?? (part.length === 1 ? part.toUpperCase() : part));
    return onMac ? [caps.join("")] : caps;
  });
}

const CAPS: Record<string, string> = {
  $mod: onMac ? "⌘" : "Ctrl",
  Enter: "↵",
  Escape: "Esc",
  ArrowUp: "↑",
  ArrowDown: "↓",
};
