/** Numbers that were typed, in words. */
import type { Q } from "$lib/api/types";
import { fieldText, readQuantity } from "$lib/format/field";
import { t } from "$lib/strings";

/** Why a field is refused: how a number is written here where what was typed is none, and otherwise what the field asks for. */
export function numberFault(text: string, otherwise: string): string {
  const reading = readQuantity(text);
  if (reading.value !== null) return otherwise;
  switch (reading.why) {
    case "empty":
      return otherwise;
    case "fraction":
      return t.number.fraction;
    case "size":
      return t.number.size;
    case "twoWays":
      return t.number.twoWays(text.trim(), fieldText(reading.grouped), fieldText(reading.decimal));
    case "shape":
      // Where no digit was typed, how to write one is not what is missing.
      return /\p{Nd}/u.test(text) ? t.number.write(fieldText("1.5" as Q), fieldText("1000" as Q)) : otherwise;
  }
}
