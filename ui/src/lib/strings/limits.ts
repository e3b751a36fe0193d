import { counted } from "./common";

export const limits = {
  title: "Limits",
  one: "Limit",
  count: (count: number, text: string) => counted(count, text, "limit", "limits"),
  loaded: (count: string) => `${count} limits read, more follow`,
};
