import { flushSync } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import { listenForShortcuts, shortcuts } from "./keys.svelte";

let stop: (() => void)[] = [];

afterEach(() => {
  stop.forEach((each) => each());
  stop = [];
});

function add(keys: string, run: () => void) {
  stop.push(shortcuts.add([{ keys, run, label: keys, group: "" }]));
  flushSync();
}

const press = (key: string, more: KeyboardEventInit = {}) =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code: `Key${key.toUpperCase()}`, bubbles: true, cancelable: true, ...more }));

describe("shortcuts", () => {
  it("hear a sequence to its end while a screen registers keys of its own, and nothing else of it", () => {
    stop.push($effect.root(() => listenForShortcuts()));
    const [go, edit, first, newest] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    add("g e", go);
    add("e", edit);
    add("n", first);
    press("g");
    add("n", newest);
    add("x", () => {});
    press("e");
    expect([go.mock.calls.length, edit.mock.calls.length]).toEqual([1, 0]);
    press("e");
    press("n");
    expect([edit, first, newest].map((each) => each.mock.calls.length)).toEqual([1, 0, 1]);
  });

  it("are heard with Ctrl before a control takes the key for its own", () => {
    stop.push($effect.root(() => listenForShortcuts()));
    const [save, control] = [vi.fn(), vi.fn()];
    add("$mod+Enter", save);
    document.body.addEventListener("keydown", control, { once: true });
    press("Enter", { code: "Enter", ctrlKey: true });
    expect([save.mock.calls.length, control.mock.calls.length]).toEqual([1, 0]);
    document.body.removeEventListener("keydown", control);
  });
});
