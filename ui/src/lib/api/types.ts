/**
 * The wire: every shape the console reads or sends, behind one module. What operations take and answer is made from the
 * engine's own table (`generated.ts`); here are the names screens use for it, and what lies outside the table.
 */
import type {
  Event,
  EventInput,
  LimitStanding,
  NewLimit,
  NewMeter,
  Preview,
  PreviewEvent,
  Quantity,
  QueryAnswer,
} from "./generated";
import type { AllOperations } from "./by-hand";

export type * from "./generated";
export type { ServerPatch } from "./by-hand";

/** An exact decimal as text. Only `$lib/format/quantity` looks inside; it never becomes a number except for pixels. */
export type Q = Quantity;

/** Not `Event`, which is the browser's. */
export type UsageEvent = Event;
export type EventDraft = EventInput;
export type Standing = LimitStanding;
export type Series = QueryAnswer;
export type ImportPreview = Preview;
export type ImportedLine = PreviewEvent;
export type MeterFields = NewMeter;
export type LimitFields = NewLimit;

export type OpName = keyof AllOperations;
export type Req<O extends OpName> = AllOperations[O]["req"];
export type Res<O extends OpName> = AllOperations[O]["res"];

/** What every list answers. */
export type Page<T> = { data: T[]; nextCursor: string | null; hasMore: boolean };

/** What a change can make old. */
export type Topic =
  | "customers"
  | "events"
  | "meters"
  | "limits"
  | "standings"
  | "imports"
  | "keys"
  | "project"
  | "audit"
  | "refusals"
  | "reservations"
  | "alerts"
  | "balances"
  | "webhooks"
  | "client_tokens";

/** A failure, on any door. */
export interface ApiErrorBody {
  code: string;
  message: string;
  status: number;
  requestId: string;
  details?: {
    field?: string;
    errors?: { index?: number; field?: string; code: string; message: string }[];
    [more: string]: unknown;
  };
}
