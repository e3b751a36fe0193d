/** What every form that is a screen of its own does by keyboard. */
import { tick } from "svelte";
import { t } from "$lib/strings";
import { useShortcuts } from "./keys.svelte";
import { router } from "./router.svelte";

interface FormKeys {
  /** The form, once there is something to write into. */
  root: () => HTMLElement | null;
  /** Which of its fields is the first. */
  first: () => string;
  save: () => void;
  /** What was written is not lost to a stray key. */
  untouched: () => boolean;
  back: () => string;
}

/** A form is there to be typed into: its first field has the focus. Ctrl+Enter saves, Escape leaves what is untouched. Call while a component is set up. */
export function useForm({ root, first, save, untouched, back }: FormKeys): void {
  let focused = false;
  $effect(() => {
    const form = root();
    if (!form || focused) return;
    focused = true;
    void tick().then(() => form.querySelector<HTMLElement>(first())?.focus());
  });

  useShortcuts(() => [
    { keys: "$mod+Enter", label: t.save, group: t.shell.help.screen, run: save },
    ...(untouched() ? [{ keys: "Escape", label: t.shell.help.close, group: t.shell.help.screen, run: () => router.go(back()) }] : []),
  ]);
}
