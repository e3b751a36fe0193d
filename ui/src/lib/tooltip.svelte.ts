/**
 * `{@attach tooltip(() => "exact value")}`: more about what is pointed at or focused. One layer draws the newest one, so a
 * table may have thousands.
 */
import type { Attachment } from "svelte/attachments";

export interface TooltipContent {
  title?: string;
  /** Rows of name and value, or plain lines. */
  lines: (string | [name: string, value: string])[];
}

interface Shown {
  content: () => TooltipContent | string | null;
  anchor: Element;
}

const DELAY_MS = 350;
/** Moving from one to the next shows the next at once. */
const WARM_MS = 400;

class TooltipLayer {
  shown = $state.raw<Shown | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiddenAt = 0;

  open(next: Shown, now = false): void {
    clearTimeout(this.#timer);
    const warm = performance.now() - this.#hiddenAt < WARM_MS || this.shown !== null;
    this.#timer = setTimeout(() => (this.shown = next), now || warm ? 0 : DELAY_MS);
  }

  close(anchor?: Element): void {
    clearTimeout(this.#timer);
    if (!this.shown || (anchor && this.shown.anchor !== anchor)) return;
    // A moment's grace, so that the pointer can reach the tooltip itself and its text be read at any zoom.
    this.#timer = setTimeout(() => this.hide(), 80);
  }

  hold(): void {
    clearTimeout(this.#timer);
  }

  hide(): void {
    clearTimeout(this.#timer);
    if (this.shown) this.#hiddenAt = performance.now();
    this.shown = null;
  }
}

export const tooltips = new TooltipLayer();

export function tooltip(content: () => TooltipContent | string | null): Attachment<Element> {
  return (element) => {
    const shown: Shown = { content, anchor: element };
    const enter = (event: Event) => {
      if ((event as PointerEvent).pointerType !== "touch") tooltips.open(shown);
    };
    const focus = () => {
      if (element.matches(":focus-visible")) tooltips.open(shown, true);
    };
    const leave = () => tooltips.close(element);
    element.addEventListener("pointerenter", enter);
    element.addEventListener("pointerleave", leave);
    element.addEventListener("focus", focus);
    element.addEventListener("blur", leave);
    element.addEventListener("pointerdown", leave);
    return () => {
      element.removeEventListener("pointerenter", enter);
      element.removeEventListener("pointerleave", leave);
      element.removeEventListener("focus", focus);
      element.removeEventListener("blur", leave);
      element.removeEventListener("pointerdown", leave);
      if (tooltips.shown?.anchor === element) tooltips.hide();
    };
  };
}
