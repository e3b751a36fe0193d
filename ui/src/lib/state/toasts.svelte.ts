/** Short words about what was just done, with a way back. */

export interface Toast {
  id: number;
  tone: "neutral" | "danger";
  message: string;
  action?: { label: string; run: () => void | Promise<void> };
}

const STAY_MS = { neutral: 6_000, danger: 12_000 };
/** Something that can be undone stays longer. */
const STAY_WITH_ACTION_MS = 12_000;

class Toasts {
  list = $state.raw<Toast[]>([]);
  #next = 1;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  show(message: string, options: Partial<Pick<Toast, "tone" | "action">> = {}): number {
    const toast: Toast = { id: this.#next++, tone: options.tone ?? "neutral", message, action: options.action };
    this.list = [...this.list.slice(-2), toast];
    this.resume(toast);
    return toast.id;
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** While pointed at or focused, a toast stays. */
  hold(toast: Toast): void {
    clearTimeout(this.#timers.get(toast.id));
  }

  resume(toast: Toast): void {
    this.hold(toast);
    const stay = toast.action ? STAY_WITH_ACTION_MS : STAY_MS[toast.tone];
    this.#timers.set(toast.id, setTimeout(() => this.dismiss(toast.id), stay));
  }
}

export const toasts = new Toasts();
