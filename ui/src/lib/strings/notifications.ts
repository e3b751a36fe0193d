import { counted } from "./common";

export const notifications = {
  many: (text: string) => `${text} new alerts`,
  manyAtLeast: (text: string) => `${text} or more new alerts`,
  andMore: (names: string, rest: number, text: string) => `${names} and ${counted(rest, text, "more customer", "more customers")}`,

  title: "Notifications",
  hint: "Weir tells of new alerts on this machine while the console is open, once each.",
  on: "Tell me when a customer crosses a threshold, or a balance runs low",
  onlyFull: "Only at 100% of a limit and above, and of balances",
  quiet: "Quiet hours",
  from: "From",
  to: "To",
  quietHint: "By this machine’s clock. Alerts that come meanwhile are told when they are over.",
  quietNow: (until: string) => `Quiet now, until ${until}.`,
  test: "Show one now",
  testTitle: "This is what a notification looks like",
  testBody: "Choosing it leads to the alerts.",
  shown: "A notification was shown.",
  denied: "This browser does not allow notifications from this address. Allow them in its settings, then turn this on.",
  unavailable: "This browser has no notifications here. They need an address that starts with https, or this machine’s own.",
};
