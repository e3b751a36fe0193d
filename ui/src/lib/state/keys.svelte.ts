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

/** Listens on the window; call once, from the root component. */
export function listenForShortcuts(): void {
  $effect(() => {
    const bindings: Record<string, (event: KeyboardEvent) => void> = {};
    // Sequences come first: `g e` must not also be heard as `e`.
    const presses = (shortcut: Shortcut) => shortcut.keys.split(" ").length;
    for (const { keys, run } of [...shortcuts.all].sort((a, b) => presses(b) - presses(a))) {
      const answer = (event: KeyboardEvent) => {
        if (event.defaultPrevented || event.isComposing || taken(event)) return;
        event.preventDefault();
        run();
      };
      bindings[keys] = answer;
      // A sign that needs Shift on this keyboard is still that sign.
      if (/^[^\w\s$]$/.test(keys)) bindings[`Shift+${keys}`] = answer;
    }
    const handler = createKeybindingsHandler(bindings);
    addEventListener("keydown", handler);
    return () => removeEventListener("keydown", handler);
  });
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
