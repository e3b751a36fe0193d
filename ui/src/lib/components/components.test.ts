import { createRawSnippet, flushSync, mount, unmount, type Component } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Q } from "$lib/api/types";
import Chips from "./Chips.svelte";
import Combobox from "./Combobox.svelte";
import Progress from "./Progress.svelte";
import Quantity from "./Quantity.svelte";
import Table from "./Table.svelte";
import { AGE } from "./table";

// jsdom lays nothing out, so there is nothing to scroll.
Element.prototype.scrollIntoView = () => {};
Element.prototype.scrollTo = () => {};

let shown: ReturnType<typeof mount>[] = [];

function show<P extends Record<string, unknown>>(component: Component<P>, props: P): HTMLElement {
  const target = document.body.appendChild(document.createElement("div"));
  shown.push(mount(component, { target, props }));
  flushSync();
  return target;
}

afterEach(async () => {
  for (const each of shown) await unmount(each);
  shown = [];
  document.body.replaceChildren();
});

const Q = (text: string) => text as Q;

describe("progress", () => {
  const draw = (percent: string, exceeded: boolean, held = "0") =>
    show(Progress as Component<Record<string, unknown>>, { percent: Q(percent), held: Q(held), exceeded, label: "Tokens", showState: true });
  const said = (percent: string, exceeded: boolean) => {
    const target = draw(percent, exceeded);
    const meter = target.querySelector("[role=meter]")!;
    return { text: target.textContent!.trim().replace(/\s+/g, " "), spoken: meter.getAttribute("aria-valuetext"), now: meter.getAttribute("aria-valuenow") };
  };

  it("never reads full before it is", () => {
    expect(said("99.97", false)).toEqual({ text: "99.9% Near limit", spoken: "99.9% used, near the limit", now: "99.97" });
  });

  it("shows and says what lies beyond the limit", () => {
    expect(said("110.55", true)).toEqual({ text: "110.5% Exceeded", spoken: "110.5% used, limit exceeded", now: "100" });
  });

  it("needs no words while there is room", () => {
    expect(said("12", false)).toEqual({ text: "12%", spoken: "12% used", now: "12" });
  });

  it("shows what is held after what is used, and makes room for it beyond the limit", () => {
    const part = (target: HTMLElement, name: string) => {
      const { left, width } = target.querySelector<HTMLElement>(`.${name}`)!.style;
      return [left, width];
    };
    const within = draw("40", false, "20");
    expect(within.querySelector("[role=meter]")!.getAttribute("aria-valuetext")).toBe("40% used, 20% held");
    expect([part(within, "fill"), part(within, "held")]).toEqual([["", "40%"], ["40%", "20%"]]);
    expect(within.querySelector(".mark")).toBeNull();

    const beyond = draw("100", true, "100");
    expect([part(beyond, "fill"), part(beyond, "held"), part(beyond, "mark")]).toEqual([["", "50%"], ["50%", "50%"], ["50%", ""]]);
    expect(draw("40", false).querySelector(".held")).toBeNull();
  });
});

describe("a quantity", () => {
  it("is short to the eye and exact to the ear", () => {
    const target = show(Quantity as Component<Record<string, unknown>>, { value: Q("999999999"), unit: "tokens", compact: true });
    expect(target.querySelector("[aria-hidden]")!.textContent).toBe("999M\u202ftokens");
    expect(target.querySelector(".sr-only")!.textContent).toBe("999,999,999\u202ftokens");
  });

  it("says that there is none", () => {
    expect(show(Quantity as Component<Record<string, unknown>>, { value: null }).textContent).toBe("–");
  });
});

describe("a combobox", () => {
  const zones = ["Asia/Kathmandu", "Europe/London", "America/New_York"].map((value) => ({ value, label: value }));
  const find = (text: string) => zones.filter((zone) => zone.label.toLowerCase().includes(text.toLowerCase()));

  function make(props: Record<string, unknown> = {}) {
    const onchange = vi.fn();
    const target = show(Combobox as unknown as Component<Record<string, unknown>>, { value: "", find, onchange, label: "Zone", ...props });
    const input = target.querySelector("input")!;
    input.focus();
    const type = (text: string) => {
      input.value = text;
      input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      flushSync();
    };
    const press = (key: string) => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      input.dispatchEvent(event);
      flushSync();
      return event;
    };
    return { input, onchange, type, press };
  }

  it("takes the marked choice with Enter, and leaves Enter to the form once closed", () => {
    const { input, onchange, type, press } = make();
    type("lon");
    expect(input.getAttribute("aria-expanded")).toBe("true");
    expect(press("Enter").defaultPrevented).toBe(true);
    expect(onchange).toHaveBeenCalledExactlyOnceWith("Europe/London");
    expect(input.getAttribute("aria-expanded")).toBe("false");
    expect(press("Enter").defaultPrevented).toBe(false);
  });

  it("takes back what was typed with Escape", () => {
    const { input, onchange, type, press } = make({ value: "Europe/London" });
    type("zzz");
    press("Escape");
    expect(input.value).toBe("Europe/London");
    expect(onchange).not.toHaveBeenCalled();
  });

  it("keeps a search from becoming a value, unless any name will do", () => {
    const strict = make();
    strict.type("Mars");
    strict.input.blur();
    expect(strict.onchange).not.toHaveBeenCalled();

    const free = make({ free: true });
    free.type(" acme ");
    free.input.blur();
    expect(free.onchange).toHaveBeenCalledExactlyOnceWith("acme");
  });

  it("walks around the list with the arrows", () => {
    const { onchange, press } = make();
    press("ArrowDown");
    press("ArrowDown");
    press("ArrowDown");
    press("ArrowDown");
    press("ArrowUp");
    press("Enter");
    expect(onchange).toHaveBeenCalledExactlyOnceWith("America/New_York");
  });
});

describe("a list of chips", () => {
  async function make(refused?: string) {
    const onchange = vi.fn();
    const read = (typed: string) => (/^[1-9]\d?$/.test(typed) ? typed : null);
    const props = { values: ["80"], suggestions: ["50", "75"], add: "Percentage", remove: () => "", label: "Told at", read, refused, onchange };
    const target = show(Chips as unknown as Component<Record<string, unknown>>, props);
    [...target.querySelectorAll("button")].find((each) => each.textContent?.includes("Percentage"))!.click();
    flushSync();
    await Promise.resolve();
    const input = target.querySelector("input")!;
    const enter = async (text: string) => {
      input.value = text;
      input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      flushSync();
      input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      flushSync();
      await Promise.resolve();
      flushSync();
    };
    return { target, input, onchange, enter };
  }

  it("takes what is typed, and no suggestion that merely holds it", async () => {
    const { onchange, enter } = await make("From 1 to 99.");
    await enter("5");
    expect(onchange).toHaveBeenCalledExactlyOnceWith(["80", "5"]);
  });

  it("says why what was typed is not kept, and keeps it to be put right", async () => {
    for (const wrong of ["2000", "50.5", "abc", "0"]) {
      const { target, input, onchange, enter } = await make("From 1 to 99.");
      await enter(wrong);
      expect(onchange).not.toHaveBeenCalled();
      expect(target.querySelector("[role=alert]")!.textContent).toBe("From 1 to 99.");
      expect([input.value, input.getAttribute("aria-invalid")]).toEqual([wrong, "true"]);
      expect(input.getAttribute("aria-describedby")).toBe(target.querySelector("[role=alert]")!.id);
      await enter("42");
      expect(onchange).toHaveBeenCalledExactlyOnceWith(["80", "42"]);
    }
  });
});

describe("a table", () => {
  const stops = (rows: string[], loading: boolean) => {
    const columns = [{ id: "name", title: "Name", text: (row: string) => row }];
    const target = show(Table as unknown as Component<Record<string, unknown>>, {
      id: "names",
      label: "Names",
      columns,
      rows,
      loading,
      inline: true,
      key: (row: string) => row,
      empty: createRawSnippet(() => ({ render: () => "<p>None</p>" })),
    });
    return [...target.querySelectorAll("[role=grid], [role=row]")].filter((each) => each.getAttribute("tabindex") === "0").map((each) => each.getAttribute("role"));
  };

  it("is reached by the keyboard whether or not it has rows", () => {
    expect(stops(["a", "b"], false)).toEqual(["row"]);
    expect(stops([], true)).toEqual(["grid"]);
    expect(stops([], false)).toEqual(["grid"]);
  });

  const sorted = (props: Record<string, unknown>) => {
    const asked: (string | null)[] = [];
    const target = show(Table as unknown as Component<Record<string, unknown>>, {
      id: "sorted",
      label: "Sorted",
      columns: [
        { id: "when", title: "When", text: (row: string) => row, ...AGE },
        { id: "name", title: "Name", text: (row: string) => row, sort: "name" },
        { id: "word", title: "Word", text: (row: string) => row, compare: (a: string, b: string) => (a < b ? -1 : 1) },
        { id: "plain", title: "Plain", text: (row: string) => row },
      ],
      rows: ["b", "a", "c"],
      inline: true,
      key: (row: string) => row,
      empty: createRawSnippet(() => ({ render: () => "<p>None</p>" })),
      onsort: (sort: string | null) => asked.push(sort),
      ...props,
    });
    const head = (title: string) => [...target.querySelectorAll("[role=columnheader]")].find((each) => each.textContent!.trim() === title)!;
    return {
      asked,
      states: () => ["When", "Name", "Word", "Plain"].map((title) => head(title).getAttribute("aria-sort")),
      click(title: string) {
        head(title).querySelector("button")!.click();
        flushSync();
      },
      rows: () => [...target.querySelectorAll("[role=row][data-index]")].map((row) => row.querySelector("[role=gridcell]")!.textContent!.trim()),
    };
  };

  it("asks the engine for an order and for the other way, and for the list's own where there is none", () => {
    for (const [sort, states, asks] of [
      ["newest", ["descending", "none", undefined, null], { When: "oldest", Name: "name" }],
      ["oldest", ["ascending", "none", undefined, null], { When: "newest", Name: "name" }],
      ["name", ["none", "ascending", undefined, null], { When: "newest", Name: null }],
    ] as const) {
      const table = sorted({ sort, hasMore: true });
      expect(table.states()).toEqual(states.map((state) => state ?? null));
      for (const [title, asked] of Object.entries(asks)) {
        table.click(title);
        expect(table.asked.pop(), `${title} while ${sort}`).toBe(asked);
      }
    }
  });

  it("sorts what is at hand over the engine's order, which a click on its header brings back", () => {
    const table = sorted({ sort: "newest" });
    expect(table.rows()).toEqual(["b", "a", "c"]);
    table.click("Word");
    expect([table.rows(), table.states()]).toEqual([["a", "b", "c"], ["none", "none", "ascending", null]]);
    table.click("When");
    expect([table.rows(), table.states(), table.asked]).toEqual([["b", "a", "c"], ["descending", "none", "none", null], []]);
    table.click("Word");
    table.click("Name");
    expect([table.states()[2], table.asked]).toEqual(["none", ["name"]]);
  });
});
