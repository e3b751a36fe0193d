/** Words that many screens share. */
import type { Aggregation, Interval, Period, Scope } from "$lib/api/types";

const plural = new Intl.PluralRules("en");

/** `3 events`, `1 event`: the number comes formatted. */
export function counted(count: number, text: string, one: string, many: string): string {
  return `${text} ${plural.select(count) === "one" ? one : many}`;
}

export const common = {
  app: "Weir",
  loading: "Loading",
  save: "Save",
  cancel: "Cancel",
  close: "Close",
  undo: "Undo",
  undone: "Undone.",
  retry: "Try again",
  create: "Create",
  edit: "Edit",
  archive: "Archive",
  restore: "Restore",
  archived: "Archived",
  copy: "Copy",
  copied: "Copied",
  copyOf: (what: string) => `Copy ${what}`,
  search: "Search",
  clear: "Clear",
  more: "More",
  none: "None",
  optional: "optional",
  never: "Never",
  yes: "Yes",
  no: "No",
  all: "All",
  back: "Back",
  skipToContent: "Skip to content",
  noValue: "–",
  dismiss: "Dismiss",
  actions: "Actions",
  pleaseFix: "Check the marked fields.",

  period: {
    hour: "per hour",
    day: "per day",
    week: "per week",
    month: "per month",
    annual: "per year",
    all_time: "all time",
  } satisfies Record<Period, string>,

  aggregation: {
    sum: "Sum",
    count: "Count",
    max: "Maximum",
    latest: "Latest",
    min: "Minimum",
    avg: "Average",
    unique: "Unique",
  } satisfies Record<Aggregation, string>,

  interval: {
    "1m": "per minute",
    "15m": "per 15 minutes",
    hour: "per hour",
    day: "per day",
    week: "per week",
    month: "per month",
  } satisfies Record<Interval, string>,

  /** Dimensions that every event has. */
  dimension: { customer_id: "Customer", event_type: "Event type" },

  zoneOf: {
    viewer: "Your time",
    customer: "Customer’s time",
    project: "Project’s time",
    utc: "UTC",
  },

  progress: {
    exceeded: "Exceeded",
    near: "Near limit",
    text: (percent: string) => `${percent} used`,
    textExceeded: (percent: string) => `${percent} used, limit exceeded`,
    textNear: (percent: string) => `${percent} used, near the limit`,
    withHeld: (text: string, percent: string) => `${text}, ${percent} held`,
  },

  /** What is wrong with a number that was typed. */
  number: {
    write: (decimal: string, grouped: string) => `Write it like ${decimal} or ${grouped}.`,
    twoWays: (typed: string, grouped: string, decimal: string) => `${typed} can be read in two ways. Write ${grouped} or ${decimal}.`,
    fraction: "At most 9 digits after the decimal mark.",
    size: "At most 18 digits before the decimal mark.",
  },

  stale: {
    badge: "Not up to date",
    outdatedBadge: "Updating…",
    why: (message: string) => `Showing the last known data. The newest request failed: ${message}`,
  },

  connection: {
    down: "Connection lost. Trying again…",
    downHint: "What you see may be old. Nothing you recorded is lost; the console catches up by itself.",
    live: "Live",
    spent: "This key has made all its calls",
    spentHint: (when: string) => `What you see may be old. The console goes on by itself ${when}.`,
  },

  error: {
    title: (what: string) => `${what} could not be loaded`,
    unreachable: "The engine does not answer. Recorded data is safe on disk; check that Weir is running, then try again.",
    notReached: "Weir cannot be reached.",
    forbidden: (scope: Exclude<Scope, "manage">) =>
      `The key that is signed in may only ${scope === "read" ? "read and check" : "record and read"}. Sign in with a key of the scope Manage.`,
    forbiddenTitle: (what: string) => `${what}: only for keys that manage`,
    spentTitle: "This key has made all its calls",
    spent: (when: string) => `A key may make only so many calls a minute and a day, and the one that is signed in has made them. It may call again ${when}.`,
    later: "later",
    busy: "The engine is busy. Nothing was changed; this screen tries again by itself.",
    internal: "Something went wrong inside Weir. Nothing was half applied. If it comes back, report it with the request id.",
    requestId: "Request id",
    failed: (message: string) => `That did not work: ${message}`,
    notSaved: "Nothing was saved.",
    keyringSilent: "Your system's keyring does not answer.",
    details: "Details",
  },

  table: {
    columns: "Columns",
    csv: "Download CSV",
    csvOf: (name: string) => `Download ${name} as CSV`,
    exporting: (rows: string) => `Exporting… ${rows} rows`,
    exported: (rows: string) => `Exported ${rows} rows`,
    exportFailed: (message: string) => `The export stopped: ${message} Nothing was written.`,
    sortedBy: (column: string) => `Sort by ${column}`,
    loadingMore: "Loading more…",
    rows: (count: string) => `${count} rows`,
    moreFailed: "More rows could not be loaded.",
  },

  chart: {
    asTable: "Show as table",
    asChart: "Show as chart",
    export: "Export",
    svg: "SVG picture",
    png: "PNG picture",
    csv: "CSV data",
    resetZoom: "Reset zoom",
    help: "Left and right arrows read the points. Drag to zoom.",
    start: "From",
    end: "To",
    value: "Value",
    total: "Total",
    noData: "No usage in this range",
    noDataHint: "Choose a longer range, or look at when events arrived.",
    other: "(none)",
    rest: "Other",
    summary: (title: string, points: string, total: string) => `${title}: ${points} points, in all ${total}`,
    point: (when: string, values: string) => `${when}: ${values}`,
    hide: (series: string) => `Hide ${series}`,
    show: (series: string) => `Show ${series}`,
    rendering: "Drawing…",
  },

  range: {
    label: "Range",
    data: "All recorded data",
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    custom: "Custom…",
    from: "From",
    to: "To",
    apply: "Apply",
    order: "The end must come after the start.",
    invalid: "Enter a date and a time.",
    zone: (zone: string) => `Times in ${zone}`,
  },

  filters: {
    add: "Dimension",
    name: "Dimension",
    value: "Value",
    valueOf: (name: string) => (name ? `Value of ${name}` : "Value"),
    remove: (name: string) => `Remove the filter on ${name}`,
  },

  picker: {
    noResult: "Nothing found",
    searching: "Searching…",
    failed: "Could not search",
    customer: "Find a customer…",
    meter: "Find a meter…",
    allCustomers: "All customers",
  },

  once: {
    title: "Close without copying it?",
    body: "It is not shown again. What was not copied is lost, and another has to be made.",
    close: "Close it",
  },

  copyFailed: "The clipboard is not available.",
  saved: (path: string) => `Saved as ${path}`,
  notSaved: "The file could not be saved.",
};
