/** When a limit runs out at the present rate. */
import type { Outlook } from "$lib/api/types";

export const forecast = {
  title: "Runs out",
  outlook: {
    runs_out: "Runs out",
    lasts: "Lasts",
    used_up: "Used up",
    not_growing: "Not growing",
    too_early: "Too early",
    no_rate: "No rate",
  } satisfies Record<Outlook, string>,
  hint: {
    runs_out: "Nothing is left then, at the present rate.",
    lasts: "At the present rate it lasts until it resets.",
    used_up: "Nothing is left until it resets.",
    not_growing: "Nothing has been used, or more was given back than used.",
    too_early: "Too little of its window has passed to tell.",
    no_rate: "Its meter does not add up over time, so there is no rate to go by.",
  } satisfies Record<Outlook, string>,
  raiseEnds: "The raise ends then, and what the limit allows by itself is used up by then.",
  lastsNever: "At the present rate it lasts for more than a hundred years.",
  usedUpNever: "Nothing is left, and it never resets.",
  presentRate: "Present rate",
  perHour: (amount: string) => `${amount} per hour`,
  from: "From usage",
  since: (amount: string, when: string) => `${amount} since ${when}`,
};
