import { createSubscriber } from "svelte/reactivity";

/** A clock that ticks only while something on screen reads it. */
class Clock {
  readonly #subscribe: () => void;

  constructor(every: number) {
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, every);
      return () => clearInterval(timer);
    });
  }

  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

/** For countdowns under an hour. */
export const seconds = new Clock(1_000);

/** For everything that says how long ago. */
export const halfMinutes = new Clock(15_000);
