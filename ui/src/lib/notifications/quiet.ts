/** Quiet hours: a span of the day by the clock on this machine's wall. It may lie across midnight. */

export interface QuietHours {
  on: boolean;
  /** `22:00`. */
  from: string;
  /** `07:00`: the first minute that is not quiet. The same as `from` means never. */
  to: string;
}

/** Minutes since midnight; null where it is no time of day. */
export function minuteOf(clock: string): number | null {
  const match = /^(\d{2}):(\d{2})$/.exec(clock);
  if (!match) return null;
  const [hours, minutes] = [Number(match[1]), Number(match[2])];
  return hours < 24 && minutes < 60 ? hours * 60 + minutes : null;
}

export function isQuiet(hours: QuietHours, at: Date): boolean {
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)];
  if (!hours.on || from === null || to === null) return false;
  const now = at.getHours() * 60 + at.getMinutes();
  return from <= to ? from <= now && now < to : from <= now || now < to;
}

/** When the quiet that lasts at this instant is over. */
export function quietEnds(hours: QuietHours, at: Date): Date {
  const to = minuteOf(hours.to) ?? 0;
  const on = (days: number) => new Date(at.getFullYear(), at.getMonth(), at.getDate() + days, Math.floor(to / 60), to % 60);
  return on(0) > at ? on(0) : on(1);
}
