/** A movement of money as it is written, and what it will do: told by exact arithmetic before it is sent. */
import type { Balance, BalanceHold, Q } from "$lib/api/types";
import { parseQuantity } from "$lib/format/field";
import { add, compare, formatExact, nanos, quantity, subtract, zero } from "$lib/format/quantity";
import { t } from "$lib/strings";

export type Move = "credit" | "debit" | "adjust" | "hold";
export const MOVES: readonly Move[] = ["credit", "debit", "adjust", "hold"];

type Standing = Pick<Balance, "currentBalance" | "heldBalance" | "minimumBalance" | "availableBalance" | "lowBalanceThreshold" | "low" | "unit">;

/** What was typed, as an amount that the move takes; null where it is none. Only a correction may go down. */
export function readAmount(text: string, move: Move): Q | null {
  const amount = parseQuantity(text);
  if (amount === null) return null;
  return (move === "adjust" ? nanos(amount) !== 0n : nanos(amount) > 0n) ? amount : null;
}

const MOST_PRIORITY = 1_000;

/** What was typed, as a priority; null where it is none. */
export function readPriority(text: string): number | null {
  const typed = text.trim();
  if (!/^\d{1,4}$/.test(typed)) return null;
  const priority = Number.parseInt(typed, 10);
  return priority <= MOST_PRIORITY ? priority : null;
}

export interface Effect {
  /** The server would refuse it. */
  refused: boolean;
  /** What it does, or why it is refused: the first is what matters most. */
  said: string[];
}

const isBelow = (a: Q, b: Q) => compare(a, b) < 0;
const positive = (units: bigint) => (units > 0n ? quantity(units) : zero);

function tooLittle(available: Q, unit: string | null): Effect {
  const words = t.balances.move;
  const text = formatExact(available, unit);
  return { refused: true, said: [compare(available, zero) > 0 ? words.tooLittle(text) : words.nothingAvailable(text)] };
}

/** Whether it will be low, where that changes. */
function lowWords(balance: Standing, after: Q): string[] {
  const { lowBalanceThreshold: threshold, low, unit } = balance;
  if (threshold === null) return [];
  const willBe = compare(after, threshold) <= 0;
  if (willBe === low) return [];
  return [willBe ? t.balances.move.willBeLow(formatExact(threshold, unit)) : t.balances.move.noLongerLow];
}

/** What a move will do to a balance as it stands. */
export function effectOf(balance: Standing, move: Move, amount: Q): Effect {
  const words = t.balances.move;
  const { currentBalance: current, availableBalance: available, heldBalance: held, unit } = balance;
  const down = move === "debit" || move === "hold";
  if (down && compare(amount, available) > 0) return tooLittle(available, unit);
  if (move === "hold") {
    return {
      refused: false,
      said: [
        words.holds(formatExact(add(held, amount), unit), formatExact(held)),
        words.leaves(formatExact(subtract(available, amount), unit), formatExact(available)),
        words.stays(formatExact(current, unit)),
      ],
    };
  }
  const change = move === "debit" ? quantity(-nanos(amount)) : amount;
  const [after, left] = [add(current, change), add(available, change)];
  const said = [words.becomes(formatExact(current), formatExact(after, unit)), words.leaves(formatExact(left, unit), formatExact(available))];
  if (move === "adjust" && isBelow(left, zero) && nanos(amount) < 0n) said.push(words.belowMinimum);
  return { refused: false, said: [...said, ...lowWords(balance, after)] };
}

/** What capturing an amount of a hold will do. */
export function captureOf(balance: Standing, hold: Pick<BalanceHold, "amount">, amount: Q): Effect {
  const words = t.balances.move;
  const { currentBalance: current, availableBalance: available, unit } = balance;
  const rest = nanos(hold.amount) - nanos(amount);
  if (rest < 0n && nanos(positive(-rest)) > nanos(available)) return tooLittle(add(hold.amount, positive(nanos(available))), unit);
  const after = subtract(current, amount);
  const said = [words.becomes(formatExact(current), formatExact(after, unit))];
  if (rest > 0n) said.push(words.freesRest(formatExact(quantity(rest), unit)));
  if (rest < 0n) said.push(words.takesMore(formatExact(quantity(-rest), unit)));
  said.push(words.leaves(formatExact(add(available, quantity(rest)), unit), formatExact(available)));
  return { refused: false, said: [...said, ...lowWords(balance, after)] };
}
