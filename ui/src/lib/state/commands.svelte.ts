/** What the command palette can do beyond finding things: registered by whoever can do it, while it can. */
import { untrack } from "svelte";

export interface Command {
  id: string;
  label: string;
  /** The shortcut that does the same, as tinykeys reads it. */
  keys?: string;
  /** More words to find it by. */
  words?: string;
  run: () => void;
}

class Commands {
  #sets = $state.raw<Command[][]>([]);
  readonly all = $derived(this.#sets.flat());

  add(set: Command[]): () => void {
    this.#sets = [...this.#sets, set];
    return () => {
      this.#sets = this.#sets.filter((other) => other !== set);
    };
  }
}

export const commands = new Commands();

/** Must be called while a component is set up. */
export function useCommands(list: () => Command[]): void {
  $effect(() => {
    const set = list();
    return untrack(() => commands.add(set));
  });
}
