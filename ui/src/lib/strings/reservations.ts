import { counted } from "./common";

export const reservations = {
  title: "Reservations",
  live: (count: number, text: string) => `${counted(count, text, "reservation", "reservations")} live`,
  atLeast: (text: string) => `${text} and more live`,
  what: "For",
  held: "Held",
  since: "Since",
  expires: "Expires",
  id: "Id",
  nothing: "No values",
  none: "No reservation is live",
  more: "Show more",

  release: "Release",
  releaseOf: (what: string) => `Release ${what}`,
  releaseTitle: (what: string) => `Release what ${what} holds?`,
  releaseBody: (held: string) =>
    `${held} is free again at once. The program that holds it can no longer commit it, so what it stands for is not recorded. This cannot be undone.`,
  released: (what: string, held: string) => `Released: ${held} of ${what}.`,
};
