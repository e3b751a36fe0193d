/** A value that waits until it has stood still: for questions asked while someone types. */
export class Debounced<T> {
  current = $state.raw() as T;
  /** The newest value has not been taken over yet. */
  waiting = $state(false);

  constructor(first: T) {
    this.current = first;
  }
}

/** Must be called while a component is set up. `value` is tracked; two values that read alike as JSON are the same. */
export function debounced<T>(value: () => T, ms = 300): Debounced<T> {
  const state = new Debounced(value());
  let shown = JSON.stringify(state.current);
  $effect(() => {
    const next = value();
    const text = JSON.stringify(next);
    if (text === shown) {
      state.waiting = false;
      return;
    }
    state.waiting = true;
    const timer = setTimeout(() => {
      shown = text;
      state.current = next;
      state.waiting = false;
    }, ms);
    return () => clearTimeout(timer);
  });
  return state;
}
