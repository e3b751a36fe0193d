import { NAV } from "./index";

/** Whether a screen exists to be led to. */
export function hasScreen(path: string): boolean {
  return NAV.some((entry) => entry.path === path);
}
