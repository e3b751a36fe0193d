import { recall, remember } from "./storage";

export type ThemeChoice = "system" | "light" | "dark";

const query = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

/** Light or dark: the system's word unless the operator chose. */
class Theme {
  choice = $state<ThemeChoice>(recall<ThemeChoice>("theme", "system"));
  #system = $state(query?.matches ?? false);
  readonly current = $derived<"light" | "dark">(
    this.choice === "system" ? (this.#system ? "dark" : "light") : this.choice,
  );

  constructor() {
    query?.addEventListener("change", (event) => {
      this.#system = event.matches;
      this.apply();
    });
    this.apply();
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    remember("theme", choice);
    this.apply();
  }

  private apply(): void {
    document.documentElement.dataset.theme = this.current;
  }
}

export const theme = new Theme();
