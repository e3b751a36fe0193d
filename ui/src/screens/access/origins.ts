/** What is wrong with an origin, by its name and not by its place in the list. */
import { fieldErrors, type ApiFailure } from "$lib/api/errors";
import { reasonOf } from "$lib/failure";

const PLACE = /^clientOrigins\[(\d+)\]$/;

export function wrongOrigin(failure: ApiFailure, sent: readonly string[]): string {
  const field = failure.details.field ?? "";
  const origin = sent[Number(PLACE.exec(field)?.[1] ?? NaN)];
  if (origin === undefined) return fieldErrors(failure).clientOrigins ?? reasonOf(failure);
  return failure.message.replace(`“${field}”`, () => `“${origin}”`);
}
