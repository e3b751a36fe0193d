/** How fast something goes, from its last few seconds: for rates and the time left. */
export class Pace {
  #marks: { done: number; at: number }[] = [];

  constructor(private readonly windowMs = 6_000) {}

  /** So much was done by then; both only grow. */
  mark(done: number, at: number): void {
    const last = this.#marks.at(-1);
    if (last && (done < last.done || at < last.at)) this.#marks = [];
    this.#marks.push({ done, at });
    // The newest mark before the window stays, so that a slow one still has a rate.
    while (this.#marks.length > 2 && this.#marks[1]!.at <= at - this.windowMs) this.#marks.shift();
  }

  /** Per second; null while nothing can be said. */
  get rate(): number | null {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (!first || !last || last.at - first.at < 500 || last.done === first.done) return null;
    return ((last.done - first.done) * 1_000) / (last.at - first.at);
  }

  /** Milliseconds until the rest is done. */
  left(rest: number): number | null {
    return this.rate === null ? null : (rest / this.rate) * 1_000;
  }
}
