import { counted } from "./common";

export const meters = {
  title: "Meters",
  one: "Meter",
  count: (count: number, text: string) => counted(count, text, "meter", "meters"),
  loaded: (count: string) => `${count} meters read, more follow`,
};
