import { counted } from "./common";

/** A raise until an instant, and usage reset for goodwill: exceptions for one customer. */
export const exceptions = {
  title: "Exceptions",
  limit: "Limit",
  note: "Note",
  none: "No limit applies to this customer.",
  count: (count: number, text: string) => counted(count, text, "exception", "exceptions"),

  noteWanted: "Say why.",
  raise: {
    of: (limit: string) => `Raise… ${limit}`,
    open: "Raise until…",
    change: "Change…",
    back: "Take back",
    backMenu: "Take the raise back…",
    command: (customer: string) => `Raise a limit for ${customer}…`,
    title: (customer: string) => `Raise a limit for ${customer}`,
    value: "New value",
    valueHint: (present: string) => `A number, or how much more than ${present}: +10,000`,
    until: "Until",
    preset: "How long",
    presets: { window: "Window’s end", friday: "Friday 18:00", week: "Week’s end", seven: "In 7 days" },
    zone: (zone: string) => `In the customer’s time, ${zone}.`,
    zoneAndHere: (zone: string, here: string) => `In the customer’s time, ${zone}. For you it is ${here}.`,
    noteHint: "Why. It stands in the audit, and here while the raise lasts.",
    notANumber: "Enter a number, or + and how much more.",
    submit: "Raise",

    does: (who: string, value: string, own: string, per: string, until: string) =>
      `${who} may use ${value} ${per} instead of ${own} until ${until}; then ${own} is back.`,
    doesSoft: (who: string, value: string, own: string, per: string, until: string) =>
      `${who} is reported beyond ${value} ${per} instead of ${own} until ${until}; then ${own} is back.`,
    left: (used: string, left: string, before: string) => `Used so far: ${used}. That leaves ${left} instead of ${before}.`,
    replaces: (value: string, until: string) => `It takes the place of the raise to ${value} until ${until}.`,
    tooLow: (own: string) => `Enter more than ${own}, the limit’s own value.`,
    incomplete: "What it does is said here once there is a value.",

    done: (limit: string, value: string, customer: string, until: string) => `${limit} is ${value} for ${customer} until ${until}.`,
    badge: "Raised",
    badgeUntil: (until: string) => `Raised until ${until}`,
    instead: (value: string, own: string, per: string) => `${value} instead of ${own} ${per}`,
    own: (own: string) => `own ${own}`,

    endTitle: (limit: string) => `Take the raise of ${limit} back?`,
    ends: (who: string, own: string, per: string) => `${who} may use ${own} ${per} again, at once.`,
    endsOver: (used: string) => `It has used ${used}, so it is refused from then on.`,
    endsSoft: (who: string, own: string, per: string) => `${who} is reported beyond ${own} ${per} again, at once.`,
    ended: (limit: string, own: string, customer: string) => `${limit} is ${own} again for ${customer}.`,
  },

  reset: {
    open: "Reset usage…",
    command: (customer: string) => `Reset usage of ${customer}…`,
    title: (customer: string) => `Reset usage of ${customer}`,
    becomes: (used: string, zero: string) => `Used ${used} becomes ${zero}. This cannot be undone.`,
    window: (window: string, left: string) => `The window stays: ${window}. It ends in ${left}.`,
    allTime: "The limit goes on counting over all time, without what came before.",
    events: "Events stay as recorded, and so do usage and charts. Only what this limit counts begins anew, with events that arrive from now on.",
    held: (held: string) => `${held} stays held by reservations.`,
    noteHint: "Why. It stands in the audit.",
    submit: "Reset usage",
    done: (limit: string, used: string, customer: string) => `${limit} counts anew for ${customer}: used was ${used}.`,
    badge: "Reset",
    badgeOn: (when: string) => `Reset on ${when}`,
    counts: "Counts only events that arrived after it.",
  },
};
