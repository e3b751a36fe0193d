// Made from the table of operations; a test of weir-api fails when the two differ and says how to write it anew.

/** An exact decimal, as its digits. Never a JavaScript number. */
export type Quantity = string & { readonly __q: true };

/** An instant: RFC 3339 in UTC. */
export type Time = string;

/** Which open alerts to acknowledge. */
export type AcknowledgeAll = {
  /** Only this customer's. */
  customerId?: string | null;
  /** Only those of this limit. */
  limitId?: LimitId | null;
  /** The newest alert that was seen: later ones stay open. */
  upTo: AlertId;
};

/** How many alerts were acknowledged. */
export type Acknowledged = {
  /** How many. */
  acknowledged: number;
};

/** A correction, up or down. */
export type AdjustBalance = {
  /** How much, up or down; not zero. */
  amount: Quantity;
  /** The customer's external id. */
  customerId: string;
  /** A repeat under the same key books nothing and answers as the first did. */
  idempotencyKey?: string | null;
  /** The balance's name. */
  name: string;
  /** Why, for those who read the ledger later. */
  note: string;
  /** The caller's own reference: unique among the balance's adjustments. */
  reference?: string | null;
};

/** How a meter turns events into one value. */
export type Aggregation = "sum" | "count" | "max" | "latest" | "min" | "avg" | "unique";

/** A customer crossed a threshold of a limit, or a balance fell to one. There is one for each limit, customer, window and threshold, until the limit's value or thresholds change; and one for each time that a balance falls. */
export type Alert = {
  /** When somebody acknowledged it. */
  acknowledgedAt: Time | null;
  /** Who did. */
  acknowledgedBy: AuditActor | null;
  /** The balance, where it is about one. */
  balance: AlertedBalance | null;
  /** When the threshold was crossed. */
  createdAt: Time;
  /** The customer's external id. */
  customerId: string;
  /** The customer's name. */
  customerName: string | null;
  /** Which alert; derived from what it is about. */
  id: AlertId;
  /** What it is about. */
  kind: AlertKind;
  /** The limit's threshold, where it is about one. */
  limit: AlertedLimit | null;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** When it was resolved. */
  resolvedAt: Time | null;
  /** Where it stands. */
  state: AlertState;
};

export type AlertId = string;

/** What an alert is about. */
export type AlertKind = "limit_threshold" | "balance_low" | "balance_top_up";

/** One page of a list. */
export type AlertPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Alert[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** Where an alert stands. */
export type AlertState = "open" | "acknowledged" | "resolved";

/** What a low balance's alert is about. */
export type AlertedBalance = {
  /** What it was then. */
  currentBalance: Quantity;
  /** Which balance. */
  id: BalanceId;
  /** Its name. */
  name: string;
  /** The amount that it fell to, or below. */
  threshold: Quantity;
  /** How much to add, where a top-up is wanted. */
  topUpAmount: Quantity | null;
  /** What it is counted in. */
  unit: string | null;
};

/** What a threshold's alert is about. */
export type AlertedLimit = {
  /** Which limit. */
  id: LimitId;
  /** What it limits. */
  meterId: MeterId;
  /** The meter's name. */
  meterName: string;
  /** Its name. */
  name: string;
  /** Percent used then, truncated to two digits. */
  percentage: Quantity;
  /** The limit's period. */
  period: Period;
  /** The threshold, in percent. */
  threshold: number;
  /** The meter's unit. */
  unit: string | null;
  /** What was used then. */
  used: Quantity;
  /** The limit's value as it was crossed. */
  value: Quantity;
  /** The instant after the window; null for `all_time`. */
  windowEnd: Time | null;
  /** The window's first instant; null for `all_time`. */
  windowStart: Time | null;
};

/** A file of limits to put into force. */
export type ApplyFile = {
  /** Also archive every live limit that the file does not name. */
  archiveMissing?: boolean;
  /** TOML when not given. */
  format?: LimitFileFormat;
  /** Only say what would change. */
  preview?: boolean;
  /** The file. */
  text: string;
};

/** Which file of limits to write. */
export type AskedFile = {
  /** TOML when not given. */
  format?: LimitFileFormat;
};

/** Who changed something. */
export type AuditActor = {
  /** `operator`, `key`, `client`, `cli` or `system`. */
  kind: string;
  /** The key's name. */
  label?: string | null;
  /** Which one: the id of a key or a client token, or empty where there is only one. */
  name: string;
};

/** One change of configuration. */
export type AuditFact = {
  /** Who did it. */
  actor: AuditActor;
  /** What stands after; null where nothing does. */
  after: Snapshot | null;
  /** When it happened. */
  at: Time;
  /** What stood before; null where nothing did. */
  before: Snapshot | null;
  /** The external id of the customer whose it is, where it is one customer's. */
  customerId: string | null;
  /** Which fact: `aud_` and its number. */
  id: string;
  /** What was done, such as `limits.update`. */
  operation: string;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** The id of what was changed; of a backup, the file. */
  target: string;
  /** What that is called now, where it has a name. */
  targetName: string | null;
};

/** One page of a list. */
export type AuditFactPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: AuditFact[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** A prepaid amount of a customer. */
export type Balance = {
  /** When it was archived. */
  archivedAt: Time | null;
  /** Current - held - minimum: what may be spent. Below zero where an expiry or a recorded event took it there. */
  availableBalance: Quantity;
  /** How fast it is spent, and how long it lasts. */
  burn: Burn;
  /** When it was created. */
  createdAt: Time;
  /** Credits + adjustments - debits - expiries. */
  currentBalance: Quantity;
  /** The customer's external id. */
  customerId: string;
  /** The customer's name. */
  customerName: string | null;
  /** Pays only for events with these dimensions. */
  dimensionFilters: Record<string, string>;
  /** Set aside by live holds. */
  heldBalance: Quantity;
  /** Which balance. */
  id: BalanceId;
  /** Whether it is at its threshold, or below. */
  low: boolean;
  /** Tell when the current balance falls to this, or below. */
  lowBalanceThreshold: Quantity | null;
  /** What usage costs. */
  metered: Metered | null;
  /** What must stay: 0 forbids overdraft, a positive amount keeps a reserve, a negative one allows debt. */
  minimumBalance: Quantity;
  /** Unique among the customer's live balances. */
  name: string;
  /** When a grant expires next, and how much of it is left. */
  nextExpiry: NextExpiry | null;
  /** When the next recurring credit comes. */
  nextRecurringAt: Time | null;
  /** Among balances that match an event: lower ones pay first. 0 to 1,000. */
  priority: number;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** What is credited in every period. */
  recurringCredit: RecurringCredit | null;
  /** Tell that money should be added, and how much. */
  topUp: TopUp | null;
  /** What it is counted in, such as `credits`. */
  unit: string | null;
  /** When its settings were last changed. */
  updatedAt: Time;
  /** Counts changes of its settings. */
  version: number;
};

/** An amount that is set aside, or was. */
export type BalanceHold = {
  /** How much is held, or was. */
  amount: Quantity;
  /** Whose. */
  balanceId: BalanceId;
  /** How much was captured. */
  captured: Quantity | null;
  /** When it was made. */
  createdAt: Time;
  /** For a person. */
  description: string;
  /** When it ended. */
  endedAt: Time | null;
  /** When it ends by itself, or would have. */
  expiresAt: Time;
  /** Which hold. */
  id: HoldId;
  /** The caller's key. */
  idempotencyKey: string | null;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** The caller's own reference. */
  reference: string | null;
  /** The reservation that holds it: it ends with that. */
  reservationId: ReservationId | null;
  /** Where it stands. */
  state: HoldState;
  /** The debit that it was captured by. */
  transactionId: TransactionId | null;
};

/** One page of a list. */
export type BalanceHoldPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: BalanceHold[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

export type BalanceId = string;

/** One page of a list. */
export type BalancePage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Balance[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** How balances are sorted. */
export type BalanceSort = "newest" | "lowest";

/** What a rate is taken from: all that the window has counted so far. */
export type Basis = {
  /** When the window began; the customer's first event where it has no beginning. */
  from: Time;
  /** That per hour, cut to nine digits; null where it is too large to be told. */
  perHour: Quantity | null;
  /** Now. */
  to: Time;
  /** What was used in between. */
  used: Quantity;
};

/** A batch is durable. */
export type BatchRecorded = {
  /** Events newly recorded. */
  count: number;
  /** Events that had been recorded before under the same key. */
  duplicates: number;
  /** Events newly recorded that took a balance below its minimum. */
  overdrawn?: number;
};

/** How fast a balance is spent: debits over the last seven days of UTC, today included, or since it was created. */
export type Burn = {
  /** For how many days the available balance lasts at that, cut to a whole number; null where nothing is spent. */
  daysLeft: number | null;
  /** The first instant looked at. */
  from: Time;
  /** That per day, cut to nine digits; null in a balance's first hour. */
  perDay: Quantity | null;
  /** What was debited since, less what voids and corrections gave back; never below zero. */
  spent: Quantity;
};

/** What made an entry, and who. */
export type Cause = {
  /** Who asked; Weir itself for what happens by itself. */
  actor: AuditActor;
  /** The event paid for, or voided. */
  eventId: EventId | null;
  /** The hold captured. */
  holdId: HoldId | null;
  /** What. */
  kind: CauseKind;
  /** How much of the meter was paid for. */
  quantity: Quantity | null;
};

/** What made an entry. */
export type CauseKind = "request" | "initial" | "recurring" | "expiry" | "hold" | "event" | "void";

/** What a balance paid for a tracked event. */
export type Charged = {
  /** What it paid; below zero where a correction gave back. */
  amount: Quantity;
  /** What may be spent. */
  availableBalance: Quantity;
  /** Which balance. */
  balanceId: BalanceId;
  /** What it is now. */
  currentBalance: Quantity;
  /** Its name. */
  name: string;
  /** What it is counted in. */
  unit: string | null;
};

/** The form of the picture. */
export type ChartFormat = "svg" | "png";

/** The ground the picture is for. */
export type ChartTheme = "light" | "dark";

/** A question: may this customer go on, or may this event happen? Nothing is consumed. */
export type Check = {
  /** The customer's external id. */
  customerId: string;
  /** The event's dimensions; given even as `{}`, the question is about one event. */
  dimensions?: Record<string, string> | null;
  /** The event's type; the dimension `event_type` says the same. */
  eventType?: string | null;
  /** The event's values; given, the event's own share is part of the decision, as in tracking: a dimension that is not given is one that the event does not have. */
  values?: Record<string, Quantity> | null;
};

/** The answer to a check. */
export type CheckAnswer = {
  /** Whether no hard limit refuses. */
  allowed: boolean;
  /** The limits that apply: refusing ones first, then by the least remaining share, then by id. */
  limits: CheckedLimit[];
};

/** Whether an amount is there. */
export type CheckBalance = {
  /** How much, above zero. */
  amount: Quantity;
  /** The customer's external id. */
  customerId: string;
  /** What it would pay for; a balance whose filters these do not meet pays nothing of it. */
  dimensions?: Record<string, string> | null;
  /** The balance's name. */
  name: string;
};

/** A question: may this customer make a call now? Nothing is consumed. */
export type CheckRates = {
  /** The customer's external id. */
  customerId: string;
  /** The call's dimensions; without them, every rate limit of the customer applies. */
  dimensions?: Record<string, string> | null;
  /** The event's type, for filters on `event_type`; the dimension of that name says the same. */
  eventType?: string | null;
};

/** Whether an amount is there, and where the balance stands. */
export type CheckedBalance = {
  /** What may be spent. */
  availableBalance: Quantity;
  /** Which balance. */
  balanceId: BalanceId;
  /** What it is. */
  currentBalance: Quantity;
  /** What must stay. */
  minimumBalance: Quantity;
  /** Its name. */
  name: string;
  /** What was asked for. */
  requestedAmount: Quantity;
  /** Whether it is there. */
  sufficient: boolean;
  /** What it is counted in. */
  unit: string | null;
};

/** One limit's part in a check. */
export type CheckedLimit = {
  /** Used up. */
  exceeded: boolean;
  /** Taken by live reservations. */
  held: Quantity;
  /** Which limit. */
  id: LimitId;
  /** How much. */
  limit: Quantity;
  /** What it limits. */
  meterId: MeterId;
  /** Its name. */
  name: string;
  /** Per which period. */
  period: Period;
  /** What is left. */
  remaining: Quantity;
  /** When the window ends, in Unix seconds; null for `all_time`. */
  reset: number | null;
  /** The meter over the window: the present one, or of what is judged the coming one where only that refuses. */
  used: Quantity;
};

/** A client token, without the token itself. */
export type ClientToken = {
  /** When it was made. */
  createdAt: Time;
  /** Whose it is: the customer's external id. */
  customerId: string;
  /** When it stops working. */
  expiresAt: Time;
  /** Which token. */
  id: ClientTokenId;
  /** The project it opens. */
  projectId: ProjectId;
  /** What the front end may read again. */
  publicMetadata: Properties;
  /** When it was revoked. */
  revokedAt: Time | null;
  /** What only holders of an API key may read again. */
  serverContext: Json | null;
};

export type ClientTokenId = string;

/** One page of a list. */
export type ClientTokenPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: ClientToken[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** Which refusals to count. */
export type CountRefusals = {
  /** Only this customer's. */
  customerId?: string | null;
  /** From this instant on; the first refusal that is kept when not given. */
  from?: Time | null;
  /** Also a count per interval, cut in the customer's zone, else the project's. */
  interval?: Interval | null;
  /** Only those by this limit. */
  limitId?: LimitId | null;
  /** Up to this instant, exclusive; the last refusal when not given. */
  to?: Time | null;
};

/** A limit that an event counts on. */
export type CountedLimit = {
  /** Which limit. */
  id: LimitId;
  /** Its name. */
  name: string;
  /** Per which period. */
  period: Period;
};

/** A meter that an event counts on. */
export type CountedMeter = {
  /** Which meter. */
  id: MeterId;
  /** Its name. */
  name: string;
  /** The event's own value on it: null for `unique`. */
  value: Quantity | null;
};

/** Money that comes in. */
export type CreditBalance = {
  /** How much, above zero. */
  amount: Quantity;
  /** The customer's external id. */
  customerId: string;
  /** For a person. */
  description?: string;
  /** From this instant on nothing of it can be spent; never when not given. */
  expiresAt?: Time | null;
  /** A repeat under the same key books nothing and answers as the first did. */
  idempotencyKey?: string | null;
  /** The balance's name. */
  name: string;
  /** Lower ones are spent first: 0 to 1,000; 100 when not given. */
  priority?: number;
  /** The caller's own reference: unique among the balance's credits. */
  reference?: string | null;
  /** Where the money comes from. */
  source?: GrantSource;
};

/** Where a page ended: opaque to callers, the sort keys of the last row to us. */
export type Cursor = string;

/** A customer. */
export type Customer = {
  /** When the customer was archived. */
  archivedAt: Time | null;
  /** The local date from which months and years are counted. */
  billingCycleStart: string;
  /** When the customer was created. */
  createdAt: Time;
  /** An address to show. */
  email: string | null;
  /** The operator's own id of the customer: what every `customerId` elsewhere means. */
  externalId: string;
  /** The internal id. */
  id: CustomerId;
  /** The time of the customer's latest event. */
  lastEventAt: Time | null;
  /** Whatever the operator wants to keep. */
  metadata: Record<string, string>;
  /** A name to show. */
  name: string | null;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** The zone in which windows are cut; the project's when null. */
  timezone: string | null;
  /** When the customer was last changed. */
  updatedAt: Time;
  /** Percent used of the limit with the largest share used, truncated to two digits; null without limits or usage. */
  utilisation: Quantity | null;
};

/** A customer's live balances, oldest first. */
export type CustomerBalances = {
  /** The balances. */
  balances: Balance[];
  /** The customer's external id. */
  customerId: string;
};

export type CustomerId = string;

/** One page of customers. */
export type CustomerPage = {
  /** The rows. */
  data: Customer[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
  /** How many customers match on all pages. */
  total: number;
};

/** How a list of customers is sorted. */
export type CustomerSort = "newest" | "externalId" | "utilisation" | "lastEvent";

/** Where a customer stands with every limit that applies. */
export type CustomerStanding = {
  /** The customer's external id. */
  customerId: string;
  /** Refusing ones first, then by the least remaining share, then by id. */
  limits: LimitStanding[];
  /** The zone in which the customer's windows are cut. */
  timezone: string;
};

/** A customer's value on every live meter. */
export type CustomerUsage = {
  /** The customer's external id. */
  customerId: string;
  /** From this instant on. */
  from: Time | null;
  /** By meter. */
  meters: MeterUsage[];
  /** Up to this instant, exclusive. */
  to: Time | null;
};

/** Money that goes. */
export type DebitBalance = {
  /** How much, above zero. */
  amount: Quantity;
  /** The customer's external id. */
  customerId: string;
  /** For a person. */
  description?: string;
  /** A repeat under the same key books nothing and answers as the first did. */
  idempotencyKey?: string | null;
  /** The balance's name. */
  name: string;
  /** The caller's own reference: unique among the balance's debits. */
  reference?: string | null;
};

/** A message on its way to one endpoint, and every attempt at it. */
export type Delivery = {
  /** Every attempt, oldest first. */
  attempts: DeliveryAttempt[];
  /** When it was written down. */
  createdAt: Time;
  /** When it was delivered or given up. */
  endedAt: Time | null;
  /** What the endpoint is told. */
  eventType: WebhookEventType;
  /** Which delivery. */
  id: DeliveryId;
  /** The message: the `webhook-id` header, the same for every attempt, delivery and endpoint. */
  messageId: MessageId;
  /** When it is tried next, while it waits; null if another message comes first, or the endpoint is disabled. */
  nextAttemptAt: Time | null;
  /** The body, as it is signed and sent. */
  payload: Snapshot;
  /** The project that the endpoint belongs to. */
  projectId: ProjectId;
  /** How far it has come. */
  state: DeliveryState;
  /** The endpoint. */
  webhookId: WebhookId;
};

/** An attempt at a delivery with what was sent and answered. */
export type DeliveryAttempt = {
  /** When it began. */
  at: Time;
  /** How long it took, in milliseconds. */
  durationMs: number;
  /** Why there was no answer, or why it does not count. */
  error: string | null;
  /** The headers that were sent, by name. */
  requestHeaders: Record<string, string>;
  /** The first 2,000 characters of the answer's body, if there was one. */
  responseBody: string | null;
  /** The status of the answer, if there was one. */
  status: number | null;
};

export type DeliveryId = string;

/** One page of a list. */
export type DeliveryPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Delivery[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** How far a delivery has come. */
export type DeliveryState = "waiting" | "delivered" | "failed";

/** A dimension: each row's own text, or the same for all. */
export type DimensionSource = {
  /** The column. */
  column: string;
  /** What the event calls it. */
  name: string;
} | {
  /** What the event calls it. */
  name: string;
  /** The text. */
  value: string;
};

/** Whether a limit refuses or only reports. */
export type Enforcement = "hard" | "soft";

/** What kind of movement an entry is. */
export type EntryKind = "credit" | "debit" | "expiry" | "adjustment";

/** A recorded event, as answered. */
export type Event = {
  /** When it was recorded. */
  createdAt: Time;
  /** The customer's external id. */
  customerId: string;
  /** The effective dimension set. */
  dimensions: Record<string, string>;
  /** What happened. */
  eventType: string;
  /** Which event. */
  id: EventId;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** What the caller wanted kept. */
  properties: Properties;
  /** When it happened. */
  timestamp: Time;
  /** Named quantities. */
  values: Record<string, Quantity>;
  /** Why it was voided. */
  voidReason: string | null;
  /** When it was voided. */
  voidedAt: Time | null;
};

/** Events to record, all or none. */
export type EventBatch = {
  /** 1 to 1,000 events. */
  events: EventInput[];
};

/** An event and what it counted on. */
export type EventDetail = {
  /** The event. */
  event: Event;
  /** The live limits it counts on. */
  limits: CountedLimit[];
  /** The live meters it counts on. */
  meters: CountedMeter[];
};

/** Event type equal and every listed dimension equal; empty: every event. */
export type EventFilter = {
  /** Only events with these dimensions. */
  dimensions: Record<string, string>;
  /** Only events of this type. */
  eventType: string | null;
};

/** Event type equal and every listed dimension equal; empty: every event. */
export type EventFilterInput = {
  /** Only events with these dimensions. */
  dimensions?: Record<string, string>;
  /** Only events of this type. */
  eventType?: string | null;
};

export type EventId = string;

/** An event as a caller sends it, before any check. */
export type EventInput = {
  /** Short for the value `cost_cents`. */
  costCents?: Quantity | null;
  /** The customer's external id. */
  customerId: string;
  /** Named texts to filter and group by. */
  dimensions?: Record<string, string>;
  /** What happened, such as `llm.completion`. */
  eventType: string;
  /** A key under which a repeat is recognised, unique per customer for ever. */
  idempotencyKey?: string | null;
  /** Short for the value `input_tokens`. */
  inputTokens?: Quantity | null;
  /** Short for the value `latency_ms`. */
  latencyMs?: Quantity | null;
  /** Short for the dimension `model`. */
  model?: string | null;
  /** Short for the value `output_tokens`. */
  outputTokens?: Quantity | null;
  /** Anything else worth keeping; its texts become dimensions. */
  properties?: Properties | null;
  /** Short for the dimension `provider`. */
  provider?: string | null;
  /** When it happened; now, when not given. */
  timestamp?: Time | null;
  /** Short for the value `tokens`; input plus output tokens when those two are given and this is not. */
  totalTokens?: Quantity | null;
  /** Named quantities. */
  values?: Record<string, Quantity>;
};

/** One page of a list. */
export type EventPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Event[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** The part of a balance that pays for usage. */
export type ExplainedBalance = {
  /** What it would pay. */
  amount: Quantity | null;
  /** Whether it would pay for the request. */
  applies: boolean;
  /** What may be spent. */
  availableBalance: Quantity;
  /** Which balance. */
  balanceId: BalanceId;
  /** What it is. */
  currentBalance: Quantity;
  /** Pays only for events with these dimensions. */
  dimensionFilters: Record<string, string>;
  /** Set aside by live holds. */
  heldBalance: Quantity;
  /** What it pays for. */
  meterId: MeterId;
  /** The meter's name. */
  meterName: string;
  /** The price, and whether it may go into debt. */
  metered: Metered;
  /** Which filter the request does not meet. */
  mismatch: Mismatch | null;
  /** Its name. */
  name: string;
  /** Lower ones pay first. */
  priority: number;
  /** How much of the meter it would pay for; null unless values are given and it applies. */
  quantity: Quantity | null;
  /** Whether it cannot pay and may not owe. */
  refuses: boolean;
  /** What it is counted in. */
  unit: string | null;
};

/** A limit's part in the answer. */
export type ExplainedLimit = {
  /** The meter's aggregation. */
  aggregation: Aggregation;
  /** Only events with these dimensions count. */
  dimensionFilters: Record<string, string>;
  /** Whether it refuses at all. */
  enforcement: Enforcement;
  /** Of an applying limit, the events that weigh most in the window: of sum and max the five largest, else the five newest. */
  events: WeighingEvent[];
  /** Whether every event of the window was looked at, as far as that could change which weigh most. */
  eventsComplete: boolean;
  /** What the meter looks at in an event. */
  field: string;
  /** How much. */
  limit: Quantity;
  /** Which limit. */
  limitId: LimitId;
  /** What it limits. */
  meterId: MeterId;
  /** The meter's name. */
  meterName: string;
  /** Which filter the request does not meet. */
  mismatch: Mismatch | null;
  /** Its name. */
  name: string;
  /** Per which period. */
  period: Period;
  /** Whether it refuses. */
  refuses: boolean;
  /** The customer's own limit that stands in its place. */
  replacedBy: NamedLimit | null;
  /** What the event adds; null unless values are given and the event has what the limit counts. */
  share: Share | null;
  /** Where it comes from. */
  source: LimitSource;
  /** Whether it has a say in the answer, and why not. */
  status: LimitStatus;
  /** The meter's unit. */
  unit: string | null;
  /** Where the customer stands with it; null where it is as if absent. */
  usage: WindowUsage | null;
  /** What it makes of the request; null unless it applies. */
  verdict: Verdict | null;
};

/** A rate limit's part in the answer. */
export type ExplainedRate = {
  /** Whether the request counts on it. */
  applies: boolean;
  /** Only calls with these dimensions count. */
  dimensionFilters: Record<string, string>;
  /** Which filter the request does not meet, when it does not apply. */
  mismatch: Mismatch | null;
  /** Whether it refuses. */
  refuses: boolean;
  /** Where it comes from. */
  source: LimitSource;
  /** Where the customer stands with it. */
  standing: RateStanding;
};

/** What a request would be answered, and why. */
export type Explanation = {
  /** Whether no hard limit refuses: what `limits.check` answers. */
  allowed: boolean;
  /** Of which instant this is true. */
  at: Time;
  /** Every balance of the customer that pays for usage, in the order in which they pay. */
  balances: ExplainedBalance[];
  /** The customer's external id. */
  customerId: string;
  /** Whether there is such a customer; another is explained as if created now. */
  known: boolean;
  /** Every limit of the customer: those that apply first, in the order of a check, then those that do not and why. */
  limits: ExplainedLimit[];
  /** Whether more limits are switched off than are listed. */
  moreDisabled: boolean;
  /** Every rate limit of the customer: those that apply first, the refusing ones before the others. */
  rateLimits: ExplainedRate[];
  /** The zone in which the customer's windows are cut. */
  timezone: string;
  /** What `events.track` would decide, where the request says all that it needs: a type and values. */
  track: TrackDecision | null;
};

/** The form of a file. */
export type FileFormat = "csv" | "jsonl";

/** Whose filter it is. */
export type FilterOwner = "limit" | "meter" | "balance";

/** When a limit runs out at the present rate, and what that is taken from. */
export type Forecast = {
  /** What the rate is taken from; null where there is none. */
  basis: Basis | null;
  /** What becomes of it. */
  outlook: Outlook;
  /** The first instant at which nothing is left; null unless it runs out. */
  runsOutAt: Time | null;
};

/** Money that came in, and what is left of it. */
export type Grant = {
  /** How much came in. */
  amount: Quantity;
  /** Whose. */
  balanceId: BalanceId;
  /** When it came in. */
  createdAt: Time;
  /** For a person. */
  description: string;
  /** When it expires. */
  expiresAt: Time | null;
  /** What of that holds reserve. */
  held: Quantity;
  /** The entry that it came in by. */
  id: TransactionId;
  /** Lower ones are spent first. */
  priority: number;
  /** What is left. */
  remaining: Quantity;
  /** Where the money comes from. */
  source: GrantSource;
  /** Where it stands. */
  state: GrantState;
};

/** One page of a list. */
export type GrantPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Grant[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** Where the money of a grant comes from. */
export type GrantSource = "paid" | "promotional" | "goodwill";

/** Where a grant stands. */
export type GrantState = "live" | "spent" | "expired";

/** What a grant is spent by. */
export type GrantTerms = {
  /** When it expires. */
  expiresAt: Time | null;
  /** Lower ones are spent first. */
  priority: number;
  /** Where the money comes from. */
  source: GrantSource;
};

/** A value of one group. */
export type Group = {
  /** The dimensions; null for events without it. */
  key: Record<string, string | null>;
  /** The value per interval, when one was asked for. */
  points: Point[];
  /** The value over the whole range. */
  value: Quantity | null;
};

/** What became of a hold. */
export type Held = {
  /** Where the balance stands now. */
  balance: Balance;
  /** Why not. */
  error?: Insufficient | null;
  /** The hold; null where there was too little to hold. */
  hold?: BalanceHold | null;
  /** Whether it was done. */
  success: boolean;
  /** The debit that it was captured by. */
  transaction?: Transaction | null;
};

/** An amount to set aside. */
export type HoldBalance = {
  /** How much, above zero. */
  amount: Quantity;
  /** The customer's external id. */
  customerId: string;
  /** For a person. */
  description?: string;
  /** A repeat under the same key holds nothing more and answers as the first did. */
  idempotencyKey?: string | null;
  /** The balance's name. */
  name: string;
  /** The caller's own reference. */
  reference?: string | null;
  /** After so many seconds it is free again by itself: 1 to 86,400; 300 when not given. */
  ttlSeconds?: number;
};

export type HoldId = string;

/** Where a hold stands. */
export type HoldState = "live" | "captured" | "released" | "expired";

/** A file on its way in. */
export type Import = {
  /** Bytes of the file that are behind it. */
  bytesDone: number;
  /** Rows that had been recorded before. */
  duplicates: number;
  /** Why it failed. */
  error: string | null;
  /** The file's name, as its sender calls it. */
  fileName: string;
  /** When it was over. */
  finishedAt: Time | null;
  /** Which import. */
  id: ImportId;
  /** Events newly recorded. */
  recorded: number;
  /** Rows refused. */
  refused: number;
  /** Rows read. */
  rows: number;
  /** Its size in bytes. */
  size: number;
  /** When recording began. */
  startedAt: Time | null;
  /** Where it is. */
  state: ImportState;
  /** Bytes that have arrived: where the next piece begins. */
  uploaded: number;
};

export type ImportId = string;

/** The rows that an import refused. */
export type ImportReport = {
  /** The first 10,000 of them. */
  refused: RefusedLine[];
  /** How many there are. */
  total: number;
};

/** Where an import is. */
export type ImportState = "uploading" | "ready" | "running" | "done" | "failed" | "cancelled";

/** Why an operation on a balance did not succeed. */
export type Insufficient = {
  /** Always `insufficient_balance`. */
  code: string;
  /** For a person. */
  message: string;
};

/** How finely a range of time is divided. */
export type Interval = "1m" | "15m" | "hour" | "day" | "week" | "month";

/** A token to look into. */
export type IntrospectToken = {
  /** The token itself. */
  token: string;
};

/** A client token looked into. */
export type IntrospectedToken = {
  /** Whether it would be let in now: neither revoked nor past its date, and its customer not archived. */
  active: boolean;
  /** When it was made. */
  createdAt: Time;
  /** Whose it is: the customer's external id. */
  customerId: string;
  /** When it stops working. */
  expiresAt: Time;
  /** Which token. */
  id: ClientTokenId;
  /** The project it opens. */
  projectId: ProjectId;
  /** What the front end may read again. */
  publicMetadata: Properties;
  /** When it was revoked. */
  revokedAt: Time | null;
  /** What only holders of an API key may read again. */
  serverContext: Json | null;
};

/** Any JSON, at most 16 KiB. */
export type Json = Record<string, unknown> | unknown[] | string | number | boolean;

/** Where to keep the key that signing secrets derive from. */
export type KeepSecrets = {
  /** Leave the key until now where it is, and begin with the one of the new place, or a new one: each endpoint then has to be given a new secret. */
  newKey?: boolean;
  /** The place. */
  store: SecretsChoice;
};

/** An API key, without its secret. */
export type Key = {
  /** When it was made. */
  createdAt: Time;
  /** When it stops working. */
  expiresAt: Time | null;
  /** Which key. */
  id: KeyId;
  /** When it was last used. */
  lastUsedAt: Time | null;
  /** What it is for. */
  name: string;
  /** Until when the secret before the last rotation is good, if it still is. */
  oldSecretUntil: Time | null;
  /** Most calls within any day; null: as many as it likes. */
  perDay: number | null;
  /** Most calls within any minute; null: as many as it likes. */
  perMinute: number | null;
  /** The first characters of the secret, to recognise it by. */
  prefix: string;
  /** The project it opens. */
  projectId: ProjectId;
  /** When it was revoked. */
  revokedAt: Time | null;
  /** What it may do. */
  scope: Scope;
};

export type KeyId = string;

/** One page of a list. */
export type KeyPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Key[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** A limit. */
export type Limit = {
  /** Percentages at which to tell. */
  alertThresholds: number[];
  /** When it was archived. */
  archivedAt: Time | null;
  /** When it was created. */
  createdAt: Time;
  /** The customer's external id; null: a default for every customer, counted per customer. */
  customerId: string | null;
  /** Only events with these dimensions count. */
  dimensionFilters: Record<string, string>;
  /** Whether it applies at all. */
  enabled: boolean;
  /** Whether it refuses. */
  enforcement: Enforcement;
  /** Which limit. */
  id: LimitId;
  /** How much, above zero. */
  limitValue: Quantity;
  /** What is limited. */
  meterId: MeterId;
  /** Unique among live limits of the same customer, or of the defaults. */
  name: string;
  /** Per which period. */
  period: Period;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** When it was last changed. */
  updatedAt: Time;
  /** Counts changes, from 1. */
  version: number;
};

/** Every live limit as a file. */
export type LimitFile = {
  /** How it is written. */
  format: LimitFileFormat;
  /** How many limits it holds. */
  limits: number;
  /** The file. */
  text: string;
};

/** How a file of limits is written. */
export type LimitFileFormat = "toml" | "json";

export type LimitId = string;

/** One page of a list. */
export type LimitPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Limit[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** How a list of limits is sorted. */
export type LimitSort = "newest" | "name" | "utilisation";

/** Where a limit of a customer comes from. */
export type LimitSource = "own" | "default";

/** Where a customer stands with one limit. */
export type LimitStanding = {
  /** The meter's aggregation. */
  aggregation: Aggregation;
  /** Only events with these dimensions count. */
  dimensionFilters: Record<string, string>;
  /** Whether it refuses. */
  enforcement: Enforcement;
  /** Used up. */
  exceeded: boolean;
  /** When it runs out at the present rate. */
  forecast: Forecast;
  /** Taken by live reservations. */
  held: Quantity;
  /** How much. */
  limit: Quantity;
  /** Which limit. */
  limitId: LimitId;
  /** What it limits. */
  meterId: MeterId;
  /** The meter's name. */
  meterName: string;
  /** Its name. */
  name: string;
  /** Per which period. */
  period: Period;
  /** The raise in force, if there is one. */
  raised: RunningRaise | null;
  /** What is left. */
  remaining: Quantity;
  /** When the window ends, in Unix seconds; null for `all_time`. */
  reset: number | null;
  /** When usage was reset for goodwill, if that was within the window: only events that arrived after it count. */
  resetAt: Time | null;
  /** Where it comes from. */
  source: LimitSource;
  /** The meter's unit. */
  unit: string | null;
  /** The meter over the current window. */
  used: Quantity;
  /** Percent used, truncated to two digits. */
  utilisation: Quantity;
  /** The instant after the window; null for `all_time`. */
  windowEnd: Time | null;
  /** The window's first instant; null for `all_time`. */
  windowStart: Time | null;
};

/** Whether a limit has a say. */
export type LimitStatus = "applies" | "filtered_out" | "other_event_type" | "replaced" | "disabled";

/** Which alerts to list. */
export type ListAlerts = {
  /** Only those of this balance. */
  balanceId?: BalanceId | null;
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's. */
  customerId?: string | null;
  /** From this instant on. */
  from?: Time | null;
  /** Rows on a page. */
  limit?: number;
  /** Only those of this limit. */
  limitId?: LimitId | null;
  /** The order. */
  sort?: LogSort;
  /** Only those that stand so. */
  state?: AlertState | null;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Which audit facts to list. */
export type ListAudit = {
  /** Only by `operator`, `cli`, `system` or `key`, or by the key with this id. */
  actor?: string | null;
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only changes of the customer with this external id, of the customer's own limits, and voids of the customer's events. */
  customerId?: string | null;
  /** From this instant on. */
  from?: Time | null;
  /** Rows on a page. */
  limit?: number;
  /** Only this operation, such as `limits.update`, or all about one kind of thing, such as `limits`. */
  operation?: string | null;
  /** Only facts that hold this text, in upper or lower case, in who, what, the target, before or after. */
  query?: string | null;
  /** The order. */
  sort?: LogSort;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Which balances to list. */
export type ListBalances = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's. */
  customerId?: string | null;
  /** Also archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** Only those at their threshold or below. */
  low?: boolean;
  /** Only those whose name, customer id or customer's name holds this text. */
  query?: string | null;
  /** In which order. By `newest` a walk over all pages tells each balance once; by `lowest` one that moves meanwhile may be passed over or told again. */
  sort?: BalanceSort;
};

/** Which client tokens to list, newest first. Those past their date are kept for a day. */
export type ListClientTokens = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's. */
  customerId?: string | null;
  /** Rows on a page. */
  limit?: number;
};

/** Which customers to list. */
export type ListCustomers = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Also the archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** Only those with a balance at its threshold, or below. */
  lowBalance?: boolean;
  /** Part of an external id, name, email or metadata value, in any case. */
  query?: string | null;
  /** The order. By `newest` and `externalId` a walk over all pages tells each customer once; by `utilisation` and `lastEvent` one that moves meanwhile may be passed over or told again. */
  sort?: CustomerSort;
};

/** Which events to list, newest first. */
export type ListEvents = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's, sorted by event time; without it, events are sorted by when they were recorded. */
  customerId?: string | null;
  /** Only with these dimensions. */
  dimensions?: Record<string, string>;
  /** Only of this type. */
  eventType?: string | null;
  /** From this instant on. */
  from?: Time | null;
  /** Also voided ones. */
  includeVoided?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Which keys to list, newest first. */
export type ListKeys = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Rows on a page. */
  limit?: number;
};

/** Which limits to list. */
export type ListLimits = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's own limits. */
  customerId?: string | null;
  /** With `customerId`: the limits that apply to the customer, own ones and defaults. */
  effective?: boolean;
  /** Also the archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** Only limits on this meter. */
  meterId?: MeterId | null;
  /** The order. By `newest` and `name` a walk over all pages tells each limit once; by `utilisation` one that moves meanwhile may be passed over or told again. */
  sort?: LimitSort;
};

/** Which meters to list. */
export type ListMeters = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Also the archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** Part of a name, in any case. */
  query?: string | null;
  /** The order. */
  sort?: NamedSort;
};

/** Which rate limits to list. */
export type ListRateLimits = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's own. */
  customerId?: string | null;
  /** Also the archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** The order. */
  sort?: NamedSort;
};

/** Which refusals to list. */
export type ListRefusals = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's. */
  customerId?: string | null;
  /** From this instant on. */
  from?: Time | null;
  /** Rows on a page. */
  limit?: number;
  /** Only those by this limit. */
  limitId?: LimitId | null;
  /** The order. */
  sort?: LogSort;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Which reservations to list, newest first. */
export type ListReservations = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's. */
  customerId?: string | null;
  /** Rows on a page. */
  limit?: number;
  /** Only those that stand so. */
  state?: ReservationState | null;
};

/** Which standings to list: closest to their limit first. One that moves while the pages are walked may be passed over or told again. */
export type ListStandings = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Rows on a page. */
  limit?: number;
  /** Only those with this limit. */
  limitId?: LimitId | null;
};

/** Which endpoints to list, newest first. */
export type ListWebhooks = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Also those that were archived. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
};

/** How a log is sorted. */
export type LogSort = "newest" | "oldest";

/** How the rows of a file become events. */
export type Mapping = {
  /** Whose usage it is. */
  customer: MappingSource;
  /** The texts to filter and group by. */
  dimensions: DimensionSource[];
  /** What happened. */
  eventType: MappingSource;
  /** The column whose text identifies a row for ever. Without it a row is known by its content. */
  idColumn?: string | null;
  /** When it happened. */
  timestamp: TimeSource;
  /** The zone of times that name none: an IANA name. Without it they are in UTC. */
  timezone?: string | null;
  /** The quantities. */
  values: ValueSource[];
};

/** How the rows of a file become events. */
export type MappingInput = {
  /** Whose usage it is. */
  customer: MappingSource;
  /** The texts to filter and group by. */
  dimensions?: DimensionSource[];
  /** What happened. */
  eventType: MappingSource;
  /** The column whose text identifies a row for ever. Without it a row is known by its content. */
  idColumn?: string | null;
  /** When it happened. */
  timestamp: TimeSource;
  /** The zone of times that name none: an IANA name. Without it they are in UTC. */
  timezone?: string | null;
  /** The quantities. */
  values?: ValueSource[];
};

/** The same text for every row, or each row's own. */
export type MappingSource = {
  value: string;
} | {
  column: string;
};

export type MessageId = string;

/** A meter. */
export type Meter = {
  /** How events become one value. */
  aggregation: Aggregation;
  /** When it was archived. */
  archivedAt: Time | null;
  /** Comes with Weir and cannot be changed. */
  builtIn: boolean;
  /** When it was created. */
  createdAt: Time;
  /** What it is for. */
  description: string | null;
  /** Which events it counts. */
  eventFilter: EventFilter;
  /** What it looks at: `values.tokens`, `*` for count, `dimensions.user` for unique. */
  field: string;
  /** Dimensions by which it is kept broken down. */
  groupBy: string[];
  /** Which meter. */
  id: MeterId;
  /** Unique among live meters. */
  name: string;
  /** How far its backfill is, in events. */
  progress: Progress;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** Whether it has counted all history. */
  state: MeterState;
  /** What one is, such as `tokens`. */
  unit: string | null;
  /** When it was last changed. */
  updatedAt: Time;
};

export type MeterId = string;

/** One page of a list. */
export type MeterPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Meter[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** Whether a meter has counted all history. */
export type MeterState = "ready" | "building";

/** A value on one meter. */
export type MeterUsage = {
  /** Its aggregation. */
  aggregation: Aggregation;
  /** Which meter. */
  meterId: MeterId;
  /** Its name. */
  name: string;
  /** Its unit. */
  unit: string | null;
  /** The value: null where there is nothing to take it of. */
  value: Quantity | null;
};

/** What usage of a meter costs. */
export type Metered = {
  /** What `per` units of the meter cost: above zero, at most 1,000,000,000. */
  amount: Quantity;
  /** Whether an event that it cannot pay for is refused when tracked, or taken into debt. */
  enforcement: Enforcement;
  /** The meter whose usage is paid for: of `sum` or `count`. */
  meterId: MeterId;
  /** How many units of the meter that is the price of: a whole number from 1 to 1,000,000,000; 1 when not given. */
  per: number;
};

/** What usage of a meter costs. */
export type MeteredInput = {
  /** What `per` units of the meter cost: above zero, at most 1,000,000,000. */
  amount: Quantity;
  /** Whether an event that it cannot pay for is refused when tracked, or taken into debt. */
  enforcement?: Enforcement;
  /** The meter whose usage is paid for: of `sum` or `count`. */
  meterId: MeterId;
  /** How many units of the meter that is the price of: a whole number from 1 to 1,000,000,000; 1 when not given. */
  per?: number;
};

/** A filter that a request does not meet. */
export type Mismatch = {
  /** Of which dimension; `event_type` for the type. */
  dimension: string;
  /** What the request has, if anything. */
  given: string | null;
  /** Whose filter. */
  of: FilterOwner;
  /** What it wants. */
  wanted: string;
};

/** What became of a credit, debit or adjustment. */
export type Moved = {
  /** Where the balance stands now. */
  balance: Balance;
  /** Why not. */
  error?: Insufficient | null;
  /** Whether it was booked. */
  success: boolean;
  /** The entry; of a repeat, the first one's. */
  transaction?: Transaction | null;
};

/** A limit by name. */
export type NamedLimit = {
  /** Which limit. */
  id: LimitId;
  /** Its name. */
  name: string;
};

/** How a list of things with a name is sorted. */
export type NamedSort = "newest" | "name";

/** A balance to create. */
export type NewBalance = {
  /** The customer's external id; an unknown customer is created. */
  customerId: string;
  /** Pays only for events with these dimensions. */
  dimensionFilters?: Record<string, string>;
  /** Booked as a first credit. */
  initialBalance?: Quantity | null;
  /** Tell when the current balance falls to this, or below. */
  lowBalanceThreshold?: Quantity | null;
  /** What usage costs. */
  metered?: MeteredInput | null;
  /** What must stay; 0 when not given. */
  minimumBalance?: Quantity;
  /** Unique among the customer's live balances. */
  name: string;
  /** Among balances that match an event: lower ones pay first. 0 to 1,000; 100 when not given. */
  priority?: number;
  /** What is credited in every period. */
  recurringCredit?: RecurringCreditInput | null;
  /** Tell that money should be added. */
  topUp?: TopUp | null;
  /** What it is counted in. */
  unit?: string | null;
};

/** A chart of a meter's series. */
export type NewChart = {
  /** Only this customer; all when not given. */
  customerId?: string | null;
  /** The form of the picture. */
  format: ChartFormat;
  /** From this instant on; the first event when not given. */
  from?: Time | null;
  /** A line for each of the 8 largest groups by these dimensions. */
  groupBy?: string[];
  /** In pixels, 1 to 4,000; 480 when not given. */
  height?: number | null;
  /** How finely; as fits the range when not given. */
  interval?: Interval | null;
  /** Which meter. */
  meterId: MeterId;
  /** The ground it is for. */
  theme?: ChartTheme;
  /** Up to 256 characters; the meter's name when not given. */
  title?: string | null;
  /** Up to this instant, exclusive; the last event when not given. */
  to?: Time | null;
  /** In pixels, 1 to 4,000; 960 when not given. */
  width?: number | null;
};

/** A client token to make. */
export type NewClientToken = {
  /** What the front end may read again: an object of at most 16 KiB that names the customer as `customerId` (or `customer_id`). */
  publicMetadata: Properties;
  /** What only holders of an API key may read again: any JSON of at most 16 KiB. */
  serverContext?: Json | null;
  /** For how long it is good, in seconds: 1 to 86,400; 3,600 when not given. */
  ttlSeconds?: number;
};

/** A client token just made, with the token itself, which is shown this once. */
export type NewClientTokenAnswer = {
  /** When it stops working. */
  expiresAt: Time;
  /** Which token. */
  id: ClientTokenId;
  /** The token. Only a hash of it is kept. */
  token: string;
};

/** A customer to create. */
export type NewCustomer = {
  /** A date, or an instant that is turned into one in the customer's zone; today when not given. */
  billingCycleStart?: string | null;
  /** 1 to 256 characters. */
  email?: string | null;
  /** 1 to 256 characters; cannot be changed later. */
  externalId: string;
  /** At most 64 entries: keys as for dimensions, values up to 2,000 characters. */
  metadata?: Record<string, string>;
  /** 1 to 256 characters. */
  name?: string | null;
  /** An IANA zone name. */
  timezone?: string | null;
};

/** A file to import. */
export type NewImport = {
  /** 1 to 256 characters. */
  fileName: string;
  /** In bytes, at most 4 GiB. */
  size: number;
};

/** A key to make. */
export type NewKey = {
  /** When it stops working; never, when not given. */
  expiresAt?: Time | null;
  /** 1 to 256 characters. */
  name: string;
  /** Most calls within any day, 1 to 1,000,000,000; 100,000 when not given; null: as many as it likes. */
  perDay?: number | null;
  /** Most calls within any minute, 1 to 1,000,000,000; 1,000 when not given; null: as many as it likes. */
  perMinute?: number | null;
  /** What it may do. */
  scope: Scope;
};

/** A key just made or given a new secret, with that secret, which is shown this once. */
export type NewKeyAnswer = {
  /** When it was made. */
  createdAt: Time;
  /** When it stops working. */
  expiresAt: Time | null;
  /** Which key. */
  id: KeyId;
  /** The secret. Only a hash of it is kept. */
  key: string;
  /** When it was last used. */
  lastUsedAt: Time | null;
  /** What it is for. */
  name: string;
  /** Until when the secret before the last rotation is good, if it still is. */
  oldSecretUntil: Time | null;
  /** Most calls within any day; null: as many as it likes. */
  perDay: number | null;
  /** Most calls within any minute; null: as many as it likes. */
  perMinute: number | null;
  /** The first characters of the secret. */
  prefix: string;
  /** The project it opens. */
  projectId: ProjectId;
  /** When it was revoked. */
  revokedAt: Time | null;
  /** What it may do. */
  scope: Scope;
};

/** A limit to create. */
export type NewLimit = {
  /** Whole percentages, 1 to 1000; at most 20. */
  alertThresholds?: number[];
  /** The customer's external id; not given: a default for every customer. */
  customerId?: string | null;
  /** Only events with these dimensions count. */
  dimensionFilters?: Record<string, string>;
  /** Whether it applies at all; true when not given. */
  enabled?: boolean;
  /** Whether it refuses. */
  enforcement?: Enforcement;
  /** Above zero. */
  limitValue: Quantity;
  /** A live meter that sums, counts, or takes the maximum, latest or number of distinct values. */
  meterId: MeterId;
  /** 1 to 256 characters. */
  name: string;
  /** Per which period. */
  period: Period;
};

/** A meter to create. */
export type NewMeter = {
  /** How events become one value. */
  aggregation: Aggregation;
  /** Up to 2,000 characters. */
  description?: string | null;
  /** Which events it counts; all when not given. */
  eventFilter?: EventFilterInput;
  /** What it looks at: `values.tokens`, `*` for count, `dimensions.user` for unique. */
  field: string;
  /** Up to 8 dimensions by which it is kept broken down. */
  groupBy?: string[];
  /** 1 to 256 characters, unique among live meters. */
  name: string;
  /** Up to 64 characters. */
  unit?: string | null;
};

/** A rate limit to create. */
export type NewRateLimit = {
  /** The customer's external id; not given: every customer, counted per customer. */
  customerId?: string | null;
  /** Only calls with these dimensions count. */
  dimensionFilters?: Record<string, string>;
  /** Whether it applies at all; true when not given. */
  enabled?: boolean;
  /** Most calls within the window: 1 to 1,000,000,000. */
  limitValue: number;
  /** 1 to 256 characters. */
  name: string;
  /** How long the window is. */
  window: RateSpan;
};

/** A share to hold: an event that may come. */
export type NewReservation = {
  /** The customer's external id. */
  customerId: string;
  /** Named texts to filter and group by. */
  dimensions?: Record<string, string>;
  /** What is going to happen, such as `llm.completion`. */
  eventType: string;
  /** After so many seconds the share is free again by itself: 1 to 3,600; 300 when not given. */
  ttlSeconds?: number;
  /** The most it may come to. */
  values?: Record<string, Quantity>;
};

/** An endpoint to make. */
export type NewWebhook = {
  /** Whether it may lie on this machine or in a private network; not, when not given. */
  allowPrivate?: boolean;
  /** At most 2,000 characters. */
  description?: string | null;
  /** Whether it is to be told anything; it is, when not given. */
  enabled?: boolean;
  /** What it is to be told; everything, when not given or null. */
  eventTypes?: WebhookEventType[] | null;
  /** An `http` or `https` address without a user name and fragment, at most 2,000 characters. */
  url: string;
};

/** When a grant expires next. */
export type NextExpiry = {
  /** What is left of everything that expires then. */
  amount: Quantity;
  /** When. */
  at: Time;
};

/** Nothing else is asked. */
export type Nothing = Record<string, never>;

/** What becomes of a limit at the present rate. */
export type Outlook = "runs_out" | "lasts" | "used_up" | "not_growing" | "too_early" | "no_rate";

/** What one grant paid of an entry. */
export type Paid = {
  /** How much. */
  amount: Quantity;
  /** The entry that the grant came in by; null: still owed. */
  grantId: TransactionId | null;
};

/** How often what a limit counts starts anew. */
export type Period = "hour" | "day" | "week" | "month" | "annual" | "all_time";

/** A picture. */
export type Picture = {
  /** `image/svg+xml` or `image/png`. */
  contentType: string;
  /** The file, in base64. */
  data: string;
};

/** A value over one interval. */
export type Point = {
  /** The instant after the last. */
  end: Time;
  /** The first instant. */
  start: Time;
  /** The value. */
  value: Quantity | null;
};

/** What a file looks like under a mapping. */
export type Preview = {
  /** Its columns. */
  columns: string[];
  /** The first rows as they would be recorded; none while there is a problem. */
  events: PreviewEvent[];
  /** The form of the file. */
  format: FileFormat;
  /** Whether it is compressed. */
  gzip: boolean;
  /** The mapping that was given, or the likeliest. */
  mapping: Mapping;
  /** Why the mapping does not work yet, for a person. */
  problem: string | null;
  /** Its first rows, by column, long texts cut. */
  rows: string[][];
};

/** What a meter would have counted. */
export type PreviewAnswer = {
  /** Its answer. */
  answer: QueryAnswer;
  /** How many events it counts in the range. */
  matchedEvents: number;
  /** The newest five of them. */
  sample: Event[];
};

/** Why a row would be refused. */
export type PreviewError = {
  /** Which rule, by its name on the wire. */
  code: string;
  /** What is wrong, naming the column or field. */
  message: string;
};

/** A row as it would be recorded, or why it would not. */
export type PreviewEvent = {
  /** The event. */
  event: EventInput;
  /** The line on which the row begins. */
  line: number;
} | {
  /** Why. */
  error: PreviewError;
  /** The line on which the row begins. */
  line: number;
};

/** A meter that does not exist yet, and what to ask it. */
export type PreviewMeter = {
  /** How events become one value. */
  aggregation: Aggregation;
  /** Only this customer; all when not given. */
  customerId?: string | null;
  /** Which events it counts. */
  eventFilter?: EventFilterInput;
  /** What it looks at. */
  field: string;
  /** From this instant on. */
  from?: Time | null;
  /** Also broken down by up to 3 dimensions. */
  groupBy?: string[];
  /** Also a value per interval. */
  interval?: Interval | null;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** How far a backfill is. */
export type Progress = {
  /** Events counted. */
  done: number;
  /** Events there are. */
  total: number;
};

/** The project that a data file holds. */
export type Project = {
  /** Origins, such as `https://app.example.com`, whose pages may call with client tokens. */
  clientOrigins: string[];
  /** When it was created. */
  createdAt: Time;
  /** Which project. */
  id: ProjectId;
  /** Its name. */
  name: string;
  /** The zone in which windows are cut for customers without one of their own. */
  timezone: string;
  /** When it was last changed. */
  updatedAt: Time;
};

export type ProjectId = string;

/** A change of the project: fields given change. */
export type ProjectPatch = {
  /** Replaces the origins whose pages may call with client tokens: at most 100 of the form `https://app.example.com[:port]`, each without a path and a wildcard. */
  clientOrigins?: string[] | null;
  /** 1 to 256 characters. */
  name?: string | null;
  /** An IANA zone name. Changing it re-cuts the windows of every customer without a zone of their own. */
  timezone?: string | null;
};

/** Any JSON object, at most 16 KiB. */
export type Properties = Record<string, unknown>;

/** A meter's answer. */
export type QueryAnswer = {
  /** From this instant on; null when there are no events at all. */
  from: Time | null;
  /** The breakdown, when one was asked for, largest first. */
  groups: Group[];
  /** The interval of the points. */
  interval: Interval | null;
  /** Which meter; null for a preview. */
  meterId: MeterId | null;
  /** Whether there are more groups than were asked for. */
  moreGroups: boolean;
  /** The value per interval, when one was asked for. */
  points: Point[];
  /** The zone in which the intervals are cut. */
  timezone: string;
  /** Up to this instant, exclusive. */
  to: Time | null;
  /** The value over the whole range. */
  value: Quantity | null;
};

/** A limit's higher value for one customer, until it ends by itself. */
export type Raise = {
  /** When it was given. */
  createdAt: Time;
  /** The customer's external id. */
  customerId: string;
  /** Which limit. */
  limitId: LimitId;
  /** The limit's value while it lasts. */
  limitValue: Quantity;
  /** Why. */
  note: string;
  /** The instant at which the limit's own value comes back. */
  until: Time;
};

/** A range of time. */
export type Range = {
  /** From this instant on. */
  from?: Time | null;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** A rate limit. */
export type RateLimit = {
  /** When it was archived. */
  archivedAt: Time | null;
  /** When it was created. */
  createdAt: Time;
  /** The customer's external id; null: every customer, counted per customer. */
  customerId: string | null;
  /** Only calls with these dimensions count. */
  dimensionFilters: Record<string, string>;
  /** Whether it applies at all. */
  enabled: boolean;
  /** Which rate limit. */
  id: RateLimitId;
  /** Most calls within the window. */
  limitValue: number;
  /** Unique among live rate limits of the same customer, or of those for every customer. */
  name: string;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** When it was last changed. */
  updatedAt: Time;
  /** Counts changes, from 1. */
  version: number;
  /** How long the window is. */
  window: RateSpan;
};

export type RateLimitId = string;

/** One page of a list. */
export type RateLimitPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: RateLimit[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** How long a window is. */
export type RateSpan = "second" | "minute" | "hour" | "day";

/** Where a customer stands with a rate limit. */
export type RateStanding = {
  /** No call is left. */
  exceeded: boolean;
  /** Which rate limit. */
  id: RateLimitId;
  /** Most calls within the window. */
  limit: number;
  /** Its name. */
  name: string;
  /** Calls that are left. */
  remaining: number;
  /** In Unix seconds: when a call is admitted again, if none is now; else when the oldest counted call leaves the window. */
  reset: number;
  /** How long its window is. */
  window: RateSpan;
};

/** The answer to a check of rate limits. */
export type RatesAnswer = {
  /** Whether no rate limit refuses. */
  allowed: boolean;
  /** The rate limits that apply: refusing ones first, then by what remains, then by id. */
  rateLimits: RateStanding[];
};

/** An event is durable. */
export type Recorded = {
  /** Which event; of a repeat, the first one's. */
  id: EventId;
  /** It took a balance that pays for it below its minimum. */
  overdrawn?: boolean;
  /** Always true. */
  recorded: boolean;
};

/** What is credited at the start of every window of a period. */
export type RecurringCredit = {
  /** How much, above zero. */
  amount: Quantity;
  /** Whether each credit expires as the next one comes. */
  expires: boolean;
  /** Whether that is added, or what is missing up to it. */
  mode: RecurringMode;
  /** The customer's period; not `all_time`. */
  period: Period;
  /** The priority of each credit: 0 to 1,000, lower ones are spent first; 100 when not given. */
  priority: number;
  /** Where the money comes from. */
  source: GrantSource;
};

/** What is credited at the start of every window of a period. */
export type RecurringCreditInput = {
  /** How much, above zero. */
  amount: Quantity;
  /** Whether each credit expires as the next one comes. */
  expires?: boolean;
  /** Whether that is added, or what is missing up to it. */
  mode?: RecurringMode;
  /** The customer's period; not `all_time`. */
  period: Period;
  /** The priority of each credit: 0 to 1,000, lower ones are spent first; 100 when not given. */
  priority?: number;
  /** Where the money comes from. */
  source?: GrantSource;
};

/** What a recurring credit does. */
export type RecurringMode = "add" | "up_to";

/** A refused call, as a fact. */
export type Refusal = {
  /** When it was refused. */
  at: Time;
  /** What was refused, and by what. */
  call: RefusedCall;
  /** Counts refusals. */
  id: number;
  /** The project it belongs to. */
  projectId: ProjectId;
};

/** How many calls were refused. The newest 100,000 are kept, so that earlier ones cannot be counted. */
export type RefusalCounts = {
  /** From this instant on; null when there are no refusals at all. */
  from: Time | null;
  /** The interval of the points. */
  interval: Interval | null;
  /** How many per interval, when one was asked for: null where none is kept any more, and at least so many where `truncatedBefore` lies. */
  points: Point[];
  /** The zone in which the intervals are cut. */
  timezone: string;
  /** Up to this instant, exclusive. */
  to: Time | null;
  /** Refusals before this instant are no longer kept; null while all are. */
  truncatedBefore: Time | null;
  /** How many over the whole range, as far as they are kept. */
  value: Quantity;
};

/** One page of a list. */
export type RefusalPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Refusal[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** What refused a call. */
export type RefusalReason = "customer_rate_limited" | "limit_exceeded" | "insufficient_balance";

/** What was refused, and by what. */
export type RefusedCall = {
  /** The balances that could not pay, as they stood. */
  balances: CheckedBalance[];
  /** The customer's external id. */
  customerId: string;
  /** The event's effective dimensions. */
  dimensions: Record<string, string>;
  /** The event's type. */
  eventType: string;
  /** The limits that refused, as they stood. */
  limits: CheckedLimit[];
  /** The rate limits that refused, as they stood. */
  rateLimits: RateStanding[];
  /** What refused. */
  reason: RefusalReason;
  /** The event's time, where the caller gave one. */
  timestamp: Time | null;
  /** The event's values. */
  values: Record<string, Quantity>;
};

/** A row that was refused. */
export type RefusedLine = {
  /** Which rule refused it. */
  code: string;
  /** The line of the file on which the row begins. */
  line: number;
  /** What is wrong. */
  message: string;
};

/** A share of limits that is held, or was. */
export type Reservation = {
  /** When it was admitted. */
  createdAt: Time;
  /** The customer's external id. */
  customerId: string;
  /** The effective dimensions. */
  dimensions: Record<string, string>;
  /** When it was committed, released, or ran out. */
  endedAt: Time | null;
  /** The event it was committed as. */
  eventId: EventId | null;
  /** What is going to happen. */
  eventType: string;
  /** When it ends by itself, or would have. */
  expiresAt: Time;
  /** Which reservation. */
  id: ReservationId;
  /** Committed after its time had run out; null as long as it is not committed. */
  late: boolean | null;
  /** Committed although a hard limit would have refused what it came to; null as long as it is not committed. */
  overdrawn: boolean | null;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** Where it stands. */
  state: ReservationState;
  /** The values held. */
  values: Record<string, Quantity>;
};

export type ReservationId = string;

/** One page of a list. */
export type ReservationPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Reservation[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** Where a reservation stands. */
export type ReservationState = "live" | "committed" | "released" | "expired";

/** A reservation that was just admitted, and where its limits stand with it. */
export type Reserved = {
  /** When it was admitted. */
  createdAt: Time;
  /** The customer's external id. */
  customerId: string;
  /** The effective dimensions. */
  dimensions: Record<string, string>;
  /** What is going to happen. */
  eventType: string;
  /** When it ends by itself. */
  expiresAt: Time;
  /** Which reservation: commit, release or extend it by this id. */
  id: ReservationId;
  /** The limits that it counts on, with it held: by the least remaining share, then by id. */
  limits: CheckedLimit[];
  /** The project it belongs to. */
  projectId: ProjectId;
  /** Always `live`. */
  state: ReservationState;
  /** The values held. */
  values: Record<string, Quantity>;
};

/** A raise in force. */
export type RunningRaise = {
  /** Why it was raised. */
  note: string;
  /** The limit's own value, which comes back. */
  ownValue: Quantity;
  /** When it comes back. */
  until: Time;
};

/** What the sample brought. */
export type SampleMade = {
  /** Its balances. */
  balances: BalanceId[];
  /** Customers of the sample. */
  customers: number;
  /** Events newly recorded; none when the sample was there before. */
  events: number;
  /** Its limits. */
  limits: LimitId[];
  /** Its meters. */
  meters: MeterId[];
};

/** What a key may do. Each scope includes the ones below it. */
export type Scope = "read" | "ingest" | "manage";

/** Where the key of signing secrets can be put. */
export type SecretsChoice = "keyring" | "file";

/** Where the key of signing secrets is kept. */
export type SecretsPlace = "keyring" | "file" | "environment";

/** How it stands with the key that signing secrets derive from. */
export type SecretsState = {
  /** Whether another place can be chosen: not where the environment holds the key. */
  canChange: boolean;
  /** Why it cannot be read, if it cannot. */
  error: string | null;
  /** The code of that, such as `keyring_unavailable`. */
  errorCode: string | null;
  /** Whether a file `secret.key` lies beside the data although the key is kept elsewhere. */
  fileLeft: boolean;
  /** Whether there is one. It is made for the first endpoint. */
  hasKey: boolean;
  /** Where it is kept; null while nobody chose. */
  store: SecretsPlace | null;
};

/** Where programs reach the API. */
export type ServerState = {
  /** Where it is reached from this machine, while it is on. */
  address: string | null;
  /** Whether it can be changed here: one started from the command line is changed there. */
  canChange: boolean;
  /** Whether it is to be on. */
  enabled: boolean;
  /** Why it is not on although it is to be. */
  error: string | null;
  /** Whether other machines may reach it. What they send and get is not encrypted. */
  lan: boolean;
  /** Where it is reached from other machines, while they may. */
  lanAddresses: string[];
  /** The port it is to listen on; another one is taken where that is not free. */
  port: number;
};

/** What an event adds to a limit. */
export type Share = {
  /** What would be taken with it. */
  after: Quantity;
  /** What is taken without the event, live reservations included. */
  before: Quantity;
  /** What the event has of what is counted; null for a member of a `unique` set. */
  value: Quantity | null;
};

/** A thing as it stood. */
export type Snapshot = Record<string, unknown>;

/** One customer's standing with one limit, in a list over all customers. */
export type StandingRow = {
  /** The customer's external id. */
  customerId: string;
  /** The customer's name. */
  customerName: string | null;
  /** The standing. */
  standing: LimitStanding;
};

/** One page of a list. */
export type StandingRowPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: StandingRow[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** A limit as a list of limits states it: what is left out is as the defaults below, not as it was. */
export type StatedLimit = {
  /** Whole percentages, 1 to 1000; at most 20. */
  alertThresholds: number[];
  /** The customer's external id; not given: a default for every customer. */
  customerId?: string | null;
  /** Only events with these dimensions count. */
  dimensionFilters: Record<string, string>;
  /** Whether it applies at all; true when not given. */
  enabled: boolean;
  /** Whether it refuses. */
  enforcement: Enforcement;
  /** Above zero. */
  limitValue: Quantity;
  /** The name of a live meter. */
  meter?: string | null;
  /** The meter's id, in the place of its name. */
  meterId?: MeterId | null;
  /** 1 to 256 characters; with the customer, what the limit is known by. */
  name: string;
  /** Per which period. */
  period: Period;
};

/** A limit as a list of limits states it: what is left out is as the defaults below, not as it was. */
export type StatedLimitInput = {
  /** Whole percentages, 1 to 1000; at most 20. */
  alertThresholds?: number[];
  /** The customer's external id; not given: a default for every customer. */
  customerId?: string | null;
  /** Only events with these dimensions count. */
  dimensionFilters?: Record<string, string>;
  /** Whether it applies at all; true when not given. */
  enabled?: boolean;
  /** Whether it refuses. */
  enforcement?: Enforcement;
  /** Above zero. */
  limitValue: Quantity;
  /** The name of a live meter. */
  meter?: string | null;
  /** The meter's id, in the place of its name. */
  meterId?: MeterId | null;
  /** 1 to 256 characters; with the customer, what the limit is known by. */
  name: string;
  /** Per which period. */
  period: Period;
};

/** What a balance was, what moved it, and what it was then: opening + credited + adjusted - debited - expired = closing. */
export type Statement = {
  /** All adjustments, signed. */
  adjusted: Quantity;
  /** Whose. */
  balanceId: BalanceId;
  /** What it was after. */
  closingBalance: Quantity;
  /** All credits. */
  credited: Quantity;
  /** All debits. */
  debited: Quantity;
  /** How many entries. */
  entries: number;
  /** All that expired. */
  expired: Quantity;
  /** The first instant. */
  from: Time | null;
  /** What it was before. */
  openingBalance: Quantity;
  /** The instant after. */
  to: Time | null;
};

/** How the engine is doing. */
export type Status = {
  /** Customers known. */
  customers: number;
  /** Size of the data file and its log, in bytes. */
  dataBytes: number;
  /** Where the data lies. */
  dataDir: string;
  /** Events recorded, voided ones included. */
  events: number;
  /** Events recorded per second over the last ten seconds. */
  eventsPerSecond: number;
  /** Time of the earliest event, voided ones aside. */
  firstEventAt: Time | null;
  /** Time of the latest event, voided ones aside. */
  lastEventAt: Time | null;
  /** When an event was last recorded. */
  lastRecordedAt: Time | null;
  /** The engine's clock. */
  now: Time;
  /** Alerts that nobody has acknowledged, of windows that last. */
  openAlerts: number;
  /** Where the local API listens, when it does. */
  serverAddress: string | null;
  /** Weir's version. */
  version: string;
};

/** It is done. */
export type Success = {
  /** Always true. */
  success: boolean;
};

/** Whose events of which range to total. */
export type Summarised = {
  /** Only this customer's. */
  customerId?: string | null;
  /** From this instant on. */
  from?: Time | null;
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Totals by event type. */
export type Summary = {
  /** From this instant on. */
  from: Time | null;
  /** Up to this instant, exclusive. */
  to: Time | null;
  /** How many events. */
  totalEvents: number;
  /** By event type, most events first. */
  types: TypeSummary[];
};

/** What happens to a limit. */
export type SyncAction = "create" | "update" | "archive";

/** What putting a list of limits into force changed, or would change. */
export type SyncAnswer = {
  /** Whether it was done; false for a preview. */
  applied: boolean;
  /** Limits that the list does not name and that are archived. */
  archived: number;
  /** Each change, in the order of the list, then what is archived. */
  changes: SyncChange[];
  /** Limits that are new. */
  created: number;
  /** Limits of the list that are as stated already. */
  unchanged: number;
  /** Limits that change. */
  updated: number;
};

/** One change of a limit, as a list states limits. */
export type SyncChange = {
  /** What happens. */
  action: SyncAction;
  /** As it stands after. */
  after?: StatedLimit | null;
  /** As it stood. */
  before?: StatedLimit | null;
  /** Whose it is; null: a default for every customer. */
  customerId: string | null;
  /** The limit's name. */
  name: string;
};

/** Limits to put into force, all or none. */
export type SyncLimits = {
  /** Also archive every live limit that the list does not name. */
  archiveMissing?: boolean;
  /** At most 10,000 limits, each known by its customer and name; none states that there is none. */
  limits: StatedLimitInput[];
  /** Only say what would change. */
  preview?: boolean;
};

/** Where the time stands. */
export type TimeSource = {
  /** A column of times in RFC 3339, alike without a zone, or counted since 1970 in seconds, milliseconds or microseconds. */
  column: string;
};

/** When to tell that money should be added. */
export type TopUp = {
  /** How much to add, above zero. Told with the alert; Weir moves no money by itself. */
  amount: Quantity;
  /** When the current balance falls to this, or below. */
  below: Quantity;
};

/** What tracking an event would decide. */
export type TrackDecision = {
  /** Whether it would be recorded. */
  admitted: boolean;
  /** The balances that could not pay for it; asked where no limit refuses. */
  balances: BalanceId[];
  /** The limits that would refuse it. */
  limits: LimitId[];
  /** The rate limits that would refuse it; when there are any, limits are not asked. */
  rateLimits: RateLimitId[];
  /** What would refuse it. */
  reason: RefusalReason | null;
};

/** A tracked event is durable. A repeat under the event's `idempotencyKey` answers as the first did, for a day; after that with the figures of now. */
export type Tracked = {
  /** What balances paid for it, in the order in which they pay. */
  balances: Charged[];
  /** Which event; of a repeat, the first one's. */
  id: EventId;
  /** The limits that the event counts on, with the event: by the least remaining share, then by id. */
  limits: CheckedLimit[];
  /** It took a balance below its minimum. */
  overdrawn?: boolean;
  /** Always true. */
  recorded: boolean;
};

/** An entry of the ledger. */
export type Transaction = {
  /** How much: positive by type; signed for an adjustment. */
  amount: Quantity;
  /** What the balance was after it. */
  balanceAfter: Quantity;
  /** Whose ledger. */
  balanceId: BalanceId;
  /** What made it. */
  cause: Cause;
  /** When. */
  createdAt: Time;
  /** For a person. */
  description: string;
  /** Of money that came in: the grant that it is. */
  grant: GrantTerms | null;
  /** Which entry. */
  id: TransactionId;
  /** The caller's key. */
  idempotencyKey: string | null;
  /** Of money that went: which grants paid, as far as is known today; of money given back, where it went. */
  paidBy: Paid[];
  /** The project it belongs to. */
  projectId: ProjectId;
  /** The caller's own reference. */
  reference: string | null;
  /** What kind of movement. */
  type: EntryKind;
};

export type TransactionId = string;

/** One page of a list. */
export type TransactionPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Transaction[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** Totals of one event type. */
export type TypeSummary = {
  /** How many events. */
  count: number;
  /** The type. */
  eventType: string;
  /** The sum of each value. */
  values: Record<string, Quantity>;
};

/** Events recorded and customers active in a range. */
export type UsageTotals = {
  /** How many customers had any. */
  activeCustomers: number;
  /** How many events. */
  events: number;
  /** From this instant on. */
  from: Time | null;
  /** Up to this instant, exclusive. */
  to: Time | null;
};

/** A quantity, and the columns that are added up to it. */
export type ValueSource = {
  /** One column or more. Empty cells add nothing; if all are empty the event has no such value. */
  columns: string[];
  /** What the event calls it. */
  name: string;
};

/** What an applying limit makes of a request. A soft one reports the same and refuses nothing. */
export type Verdict = "within" | "used_up" | "would_exceed" | "nothing_counted" | "no_further";

/** An endpoint that is told what happens, without its secret. */
export type Webhook = {
  /** Whether it may lie on this machine or in a private network. */
  allowPrivate: boolean;
  /** When it was archived. */
  archivedAt: Time | null;
  /** When it was made. */
  createdAt: Time;
  /** What it is for. */
  description: string | null;
  /** When too many failures in a row disabled it. */
  disabledAt: Time | null;
  /** Whether it is told anything. */
  enabled: boolean;
  /** What it is told; null: everything. */
  eventTypes: WebhookEventType[] | null;
  /** Failed attempts since the last one that went well. */
  failuresInARow: number;
  /** Which endpoint. */
  id: WebhookId;
  /** The last attempt, if there was one. */
  lastAttempt: WebhookAttempt | null;
  /** Until when the secret before the last rotation signs beside the new one, if it still does. */
  oldSecretUntil: Time | null;
  /** The project it is told of. */
  projectId: ProjectId;
  /** When it was last changed. */
  updatedAt: Time;
  /** Where it is told. */
  url: string;
  /** Messages that wait to be delivered. */
  waiting: number;
};

/** An attempt at a delivery. */
export type WebhookAttempt = {
  /** When it began. */
  at: Time;
  /** How long it took, in milliseconds. */
  durationMs: number;
  /** Why there was no answer, or why it does not count. */
  error: string | null;
  /** The status of the answer, if there was one. */
  status: number | null;
};

/** What an endpoint can be told. */
export type WebhookEventType = "limit.threshold_reached" | "limit.exceeded" | "balance.low" | "balance.top_up" | "usage.summary" | "alerts.summary" | "ping";

export type WebhookId = string;

/** One page of a list. */
export type WebhookPage = {
  /** The rows. A page may hold fewer than asked for although more follow. */
  data: Webhook[];
  /** Whether more rows follow. */
  hasMore: boolean;
  /** Send this as `cursor` for the next page. */
  nextCursor: Cursor | null;
};

/** An endpoint with the secret that its messages are signed with. */
export type WebhookWithSecret = {
  /** Whether it may lie on this machine or in a private network. */
  allowPrivate: boolean;
  /** When it was archived. */
  archivedAt: Time | null;
  /** When it was made. */
  createdAt: Time;
  /** What it is for. */
  description: string | null;
  /** When too many failures in a row disabled it. */
  disabledAt: Time | null;
  /** Whether it is told anything. */
  enabled: boolean;
  /** What it is told; null: everything. */
  eventTypes: WebhookEventType[] | null;
  /** Failed attempts since the last one that went well. */
  failuresInARow: number;
  /** Which endpoint. */
  id: WebhookId;
  /** The last attempt, if there was one. */
  lastAttempt: WebhookAttempt | null;
  /** Until when the secret before the last rotation signs beside the new one, if it still does. */
  oldSecretUntil: Time | null;
  /** The project it is told of. */
  projectId: ProjectId;
  /** `whsec_` and 32 bytes in base64, as Standard Webhooks has it. */
  secret: string;
  /** When it was last changed. */
  updatedAt: Time;
  /** Where it is told. */
  url: string;
  /** Messages that wait to be delivered. */
  waiting: number;
};

/** An event that weighs in a limit's window. */
export type WeighingEvent = {
  /** What happened. */
  eventType: string;
  /** Which event. */
  id: EventId;
  /** The member, of a `unique` set. */
  member: string | null;
  /** When it happened. */
  timestamp: Time;
  /** What it counts for; null for a member of a `unique` set. */
  value: Quantity | null;
};

/** Where a customer stands with a limit in its window. */
export type WindowUsage = {
  /** Used up. */
  exceeded: boolean;
  /** Taken by live reservations. */
  held: Quantity;
  /** What is left. */
  remaining: Quantity;
  /** The meter over the window. */
  used: Quantity;
  /** Percent used, truncated to two digits. */
  utilisation: Quantity;
  /** The instant after the window; null for `all_time`. */
  windowEnd: Time | null;
  /** The window's first instant; null for `all_time`. */
  windowStart: Time | null;
};

/** Each operation's request and answer, by its name. */
export interface Operations {
  /** Answers the project. */
  "project.get": {
    req: Nothing;
    res: Project;
  };
  /** Changes the project's fields that are given. */
  "project.update": {
    req: ProjectPatch;
    res: Project;
  };
  /** Says how the engine is doing. */
  "status.get": {
    req: Nothing;
    res: Status;
  };
  /** Counts events and active customers of a range. */
  "usage.get": {
    req: Range;
    res: UsageTotals;
  };
  /** Lists changes of the configuration: who, what, before and after. */
  "audit.list": {
    req: ListAudit;
    res: AuditFactPage;
  };
  /** Creates a customer. */
  "customers.create": {
    req: NewCustomer;
    res: Customer;
  };
  /** Lists customers. */
  "customers.list": {
    req: ListCustomers;
    res: CustomerPage;
  };
  /** Answers a customer, by external id or by internal id. */
  "customers.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Customer;
  };
  /** Changes a customer's fields that are given; null clears an optional one. */
  "customers.update": {
    req: {
      /** A date, or an instant. Changing it re-cuts all windows from the recorded events. */
      billingCycleStart?: string | null;
      /** 1 to 256 characters. */
      email?: string | null;
      /** Which one. */
      id: string;
      /** Replaces all metadata. */
      metadata?: Record<string, string> | null;
      /** 1 to 256 characters. */
      name?: string | null;
      /** An IANA zone name. Changing it re-cuts all windows from the recorded events. */
      timezone?: string | null;
    };
    res: Customer;
  };
  /** Archives a customer: hidden from lists, its history stays and its events still count. */
  "customers.archive": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Takes a customer out of the archive. */
  "customers.restore": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Customer;
  };
  /** Says where a customer stands with every limit that applies. */
  "customers.standing": {
    req: {
      /** Which one. */
      id: string;
    };
    res: CustomerStanding;
  };
  /** Answers a customer's value on every live meter. */
  "customers.usage": {
    req: {
      /** From this instant on. */
      from?: Time | null;
      /** Which one. */
      id: string;
      /** Up to this instant, exclusive. */
      to?: Time | null;
    };
    res: CustomerUsage;
  };
  /** Answers a customer's live balances. */
  "customers.balances": {
    req: {
      /** Which one. */
      id: string;
    };
    res: CustomerBalances;
  };
  /** Records an event; it is durable once answered. */
  "events.record": {
    req: EventInput;
    res: Recorded;
  };
  /** Records up to 1,000 events, all or none; they are durable once answered. */
  "events.batch": {
    req: EventBatch;
    res: BatchRecorded;
  };
  /** Records an event if neither a rate limit nor a limit refuses it: decided and recorded in one step. */
  "events.track": {
    req: EventInput;
    res: Tracked;
  };
  /** Holds a share of limits for an event that may come, if neither a rate limit nor a limit refuses it. */
  "reservations.create": {
    req: NewReservation;
    res: Reserved;
  };
  /** Lists reservations, newest first. */
  "reservations.list": {
    req: ListReservations;
    res: ReservationPage;
  };
  /** Answers a reservation. */
  "reservations.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Reservation;
  };
  /** Records what a reservation came to, more or less than held, and ends it. */
  "reservations.commit": {
    req: {
      /** Which one. */
      id: string;
      /** The actual values, more or less than held; those held when not given. */
      values?: Record<string, Quantity> | null;
    };
    res: Reservation;
  };
  /** Gives the share of a reservation up. */
  "reservations.release": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Reservation;
  };
  /** Lets a live reservation last so many seconds from now, never shorter; 409 where it does not fit into the next window of a limit that it then reaches. */
  "reservations.extend": {
    req: {
      /** Which one. */
      id: string;
      /** Seconds from now, 1 to 3,600; 300 when not given. A reservation that lasts longer already stays as it is. */
      ttlSeconds?: number;
    };
    res: Reservation;
  };
  /** Lists events, newest first. */
  "events.list": {
    req: ListEvents;
    res: EventPage;
  };
  /** Answers an event, and the meters and limits that it counts on. */
  "events.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: EventDetail;
  };
  /** Voids an event, for ever: usage and limits are counted again without it. */
  "events.void": {
    req: {
      /** Which one. */
      id: string;
      /** 1 to 256 characters. */
      reason?: string | null;
    };
    res: Event;
  };
  /** Totals events by type. */
  "events.summary": {
    req: Summarised;
    res: Summary;
  };
  /** Creates a meter, which counts all history. */
  "meters.create": {
    req: NewMeter;
    res: Meter;
  };
  /** Lists meters. */
  "meters.list": {
    req: ListMeters;
    res: MeterPage;
  };
  /** Answers a meter. */
  "meters.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Meter;
  };
  /** Changes a meter's fields that are given; a changed definition counts all history anew. */
  "meters.update": {
    req: {
      /** How events become one value. */
      aggregation?: Aggregation | null;
      /** Up to 2,000 characters. */
      description?: string | null;
      /** Which events it counts. */
      eventFilter?: EventFilterInput | null;
      /** What it looks at. */
      field?: string | null;
      /** Dimensions by which it is kept broken down. */
      groupBy?: string[] | null;
      /** Which one. */
      id: string;
      /** 1 to 256 characters, unique among live meters. */
      name?: string | null;
      /** Up to 64 characters. */
      unit?: string | null;
    };
    res: Meter;
  };
  /** Archives a meter that no limit uses. */
  "meters.archive": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Takes a meter out of the archive. */
  "meters.restore": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Meter;
  };
  /** Answers a meter's value over a range, per interval and broken down. */
  "meters.query": {
    req: {
      /** Only this customer; all when not given. */
      customerId?: string | null;
      /** Only events with these dimensions. */
      dimensions?: Record<string, string>;
      /** From this instant on; the first event when not given. */
      from?: Time | null;
      /** Also broken down by up to 3 dimensions. */
      groupBy?: string[];
      /** Most groups to answer, 1 to 1,000, largest first; 100 when not given. */
      groupLimit?: number | null;
      /** Which one. */
      id: string;
      /** Also a value per interval, cut in the customer's zone, else the project's. */
      interval?: Interval | null;
      /** Up to this instant, exclusive; the last event when not given. */
      to?: Time | null;
    };
    res: QueryAnswer;
  };
  /** Answers what a meter that does not exist yet would have counted. */
  "meters.preview": {
    req: PreviewMeter;
    res: PreviewAnswer;
  };
  /** Creates a limit for one customer, or a default for every customer. */
  "limits.create": {
    req: NewLimit;
    res: Limit;
  };
  /** Lists limits. */
  "limits.list": {
    req: ListLimits;
    res: LimitPage;
  };
  /** Answers a limit. */
  "limits.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Limit;
  };
  /** Changes a limit's fields that are given; every customer is judged anew at once. */
  "limits.update": {
    req: {
      /** Whole percentages, 1 to 1000; at most 20. */
      alertThresholds?: number[] | null;
      /** Only events with these dimensions count. */
      dimensionFilters?: Record<string, string> | null;
      /** Whether it applies at all. */
      enabled?: boolean | null;
      /** Whether it refuses. */
      enforcement?: Enforcement | null;
      /** Which one. */
      id: string;
      /** Above zero. */
      limitValue?: Quantity | null;
      /** What is limited. */
      meterId?: MeterId | null;
      /** 1 to 256 characters. */
      name?: string | null;
      /** Per which period. */
      period?: Period | null;
    };
    res: Limit;
  };
  /** Archives a limit: it is as if absent. */
  "limits.archive": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Takes a limit out of the archive. */
  "limits.restore": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Limit;
  };
  /** Raises a limit for one customer until an instant; after it the limit's own value is back by itself. */
  "limits.raise": {
    req: {
      /** The customer's external id. */
      customerId: string;
      /** Which one. */
      id: string;
      /** Above the limit's own value. */
      limitValue: Quantity;
      /** Why: 1 to 2,000 characters. */
      note: string;
      /** In the future, at most ten years ahead. */
      until: Time;
    };
    res: Raise;
  };
  /** Takes a customer's raise of a limit back before it ends. */
  "limits.end_raise": {
    req: {
      /** The customer's external id. */
      customerId: string;
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Resets what a customer has used of a limit, for goodwill: only events that arrive from now on count; the window stays as it is. */
  "limits.reset": {
    req: {
      /** The customer's external id. */
      customerId: string;
      /** Which one. */
      id: string;
      /** Why: 1 to 2,000 characters. */
      note: string;
    };
    res: LimitStanding;
  };
  /** Puts a list of limits into force, all or none, or says what that would change; doing it twice changes nothing more. */
  "limits.sync": {
    req: SyncLimits;
    res: SyncAnswer;
  };
  /** Writes every live limit as a file that `limits.apply` takes. */
  "limits.file": {
    req: AskedFile;
    res: LimitFile;
  };
  /** Puts a file of limits into force, all or none, or says what that would change; doing it twice changes nothing more. */
  "limits.apply": {
    req: ApplyFile;
    res: SyncAnswer;
  };
  /** Asks whether a customer may go on, or whether an event may happen; nothing is consumed. */
  "limits.check": {
    req: Check;
    res: CheckAnswer;
  };
  /** Says what a request would be answered and why, limit by limit; nothing is consumed, and it agrees with `limits.check`. */
  "limits.explain": {
    req: Check;
    res: Explanation;
  };
  /** Lists where customers stand with their limits, closest to a limit first. */
  "limits.standings": {
    req: ListStandings;
    res: StandingRowPage;
  };
  /** Creates a rate limit for one customer, or for every customer. */
  "rate_limits.create": {
    req: NewRateLimit;
    res: RateLimit;
  };
  /** Lists rate limits. */
  "rate_limits.list": {
    req: ListRateLimits;
    res: RateLimitPage;
  };
  /** Answers a rate limit. */
  "rate_limits.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: RateLimit;
  };
  /** Changes a rate limit's fields that are given, from the next call on. */
  "rate_limits.update": {
    req: {
      /** Only calls with these dimensions count. */
      dimensionFilters?: Record<string, string> | null;
      /** Whether it applies at all. */
      enabled?: boolean | null;
      /** Which one. */
      id: string;
      /** Most calls within the window: 1 to 1,000,000,000. */
      limitValue?: number | null;
      /** 1 to 256 characters. */
      name?: string | null;
      /** How long the window is. */
      window?: RateSpan | null;
    };
    res: RateLimit;
  };
  /** Archives a rate limit: it is as if absent. */
  "rate_limits.archive": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Asks whether a customer may make a call now, as far as rate limits go; nothing is consumed. */
  "rate_limits.check": {
    req: CheckRates;
    res: RatesAnswer;
  };
  /** Creates a balance of a customer. */
  "balances.create": {
    req: NewBalance;
    res: Balance;
  };
  /** Lists balances. */
  "balances.list": {
    req: ListBalances;
    res: BalancePage;
  };
  /** Answers a balance. */
  "balances.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Balance;
  };
  /** Changes a balance's settings that are given; null clears an optional one. */
  "balances.update": {
    req: {
      /** Pays only for events with these dimensions. */
      dimensionFilters?: Record<string, string> | null;
      /** Which one. */
      id: string;
      /** Tell when the current balance falls to this, or below. */
      lowBalanceThreshold?: Quantity | null;
      /** What usage costs. */
      metered?: MeteredInput | null;
      /** What must stay. */
      minimumBalance?: Quantity | null;
      /** Among balances that match an event: lower ones pay first. */
      priority?: number | null;
      /** What is credited in every period. */
      recurringCredit?: RecurringCreditInput | null;
      /** Tell that money should be added. */
      topUp?: TopUp | null;
      /** What it is counted in. */
      unit?: string | null;
    };
    res: Balance;
  };
  /** Archives a balance: nothing moves it any more, and its ledger stays. */
  "balances.archive": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Takes a balance out of the archive. */
  "balances.restore": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Balance;
  };
  /** Lists the entries of a balance's ledger, newest first. */
  "balances.transactions": {
    req: {
      /** Where the last page ended. */
      cursor?: Cursor | null;
      /** From this instant on. */
      from?: Time | null;
      /** Which one. */
      id: string;
      /** Rows on a page. */
      limit?: number;
      /** Only with this reference. */
      reference?: string | null;
      /** Up to this instant, exclusive. */
      to?: Time | null;
      /** Only of this type. */
      type?: EntryKind | null;
    };
    res: TransactionPage;
  };
  /** Sums up a range of a balance's ledger. */
  "balances.statement": {
    req: {
      /** From this instant on; from the beginning when not given. */
      from?: Time | null;
      /** Which one. */
      id: string;
      /** Up to this instant, exclusive; to the end when not given. */
      to?: Time | null;
    };
    res: Statement;
  };
  /** Lists the grants of a balance: those of which something is left in the order in which they are spent, then the others. */
  "balances.grants": {
    req: {
      /** Where the last page ended. */
      cursor?: Cursor | null;
      /** Which one. */
      id: string;
      /** Rows on a page. */
      limit?: number;
      /** Only those of which something is left. */
      live?: boolean;
    };
    res: GrantPage;
  };
  /** Lists the holds of a balance, newest first. */
  "balances.holds": {
    req: {
      /** Where the last page ended. */
      cursor?: Cursor | null;
      /** Which one. */
      id: string;
      /** Rows on a page. */
      limit?: number;
      /** Only those that stand so. */
      state?: HoldState | null;
    };
    res: BalanceHoldPage;
  };
  /** Adds money to a balance. */
  "balances.credit": {
    req: CreditBalance;
    res: Moved;
  };
  /** Takes money from a balance, if that much is available. */
  "balances.debit": {
    req: DebitBalance;
    res: Moved;
  };
  /** Corrects a balance, up or down, with a note. */
  "balances.adjust": {
    req: AdjustBalance;
    res: Moved;
  };
  /** Sets an amount of a balance aside, if that much is available. */
  "balances.hold": {
    req: HoldBalance;
    res: Held;
  };
  /** Books what a hold came to, less or more than held, and ends it. */
  "balances.capture": {
    req: {
      /** The actual amount, above zero; all that is held when not given. */
      amount?: Quantity | null;
      /** For a person; the hold's when not given. */
      description?: string | null;
      /** Which one. */
      id: string;
    };
    res: Held;
  };
  /** Gives up what a hold holds. */
  "balances.release": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Held;
  };
  /** Lets a live hold last longer. */
  "balances.extend": {
    req: {
      /** Which one. */
      id: string;
      /** Seconds from now, 1 to 86,400; 300 when not given. A hold that lasts longer already stays as it is. */
      ttlSeconds?: number;
    };
    res: Held;
  };
  /** Says whether an amount is available, and consumes nothing. */
  "balances.check": {
    req: CheckBalance;
    res: CheckedBalance;
  };
  /** Lists refused calls. */
  "refusals.list": {
    req: ListRefusals;
    res: RefusalPage;
  };
  /** Counts refused calls over a range and per interval, as far back as they are kept. */
  "refusals.series": {
    req: CountRefusals;
    res: RefusalCounts;
  };
  /** Lists alerts. */
  "alerts.list": {
    req: ListAlerts;
    res: AlertPage;
  };
  /** Answers an alert. */
  "alerts.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Alert;
  };
  /** Acknowledges an alert. */
  "alerts.acknowledge": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Alert;
  };
  /** Acknowledges every open alert up to one. */
  "alerts.acknowledge_all": {
    req: AcknowledgeAll;
    res: Acknowledged;
  };
  /** Makes an API key; its secret is shown this once. */
  "keys.create": {
    req: NewKey;
    res: NewKeyAnswer;
  };
  /** Lists API keys, without their secrets. */
  "keys.list": {
    req: ListKeys;
    res: KeyPage;
  };
  /** Changes a key's name, date or rate limits. */
  "keys.update": {
    req: {
      /** When it stops working. */
      expiresAt?: Time | null;
      /** Which one. */
      id: string;
      /** 1 to 256 characters. */
      name?: string | null;
      /** Most calls within any day. */
      perDay?: number | null;
      /** Most calls within any minute. */
      perMinute?: number | null;
    };
    res: Key;
  };
  /** Gives a key a new secret, shown this once; the one until now stays good for a while beside it. */
  "keys.rotate": {
    req: {
      /** Which one. */
      id: string;
      /** For so many seconds the secret until now stays good beside the new one: 0 to 2,592,000; 86,400 when not given. One before it stops at once. */
      overlapSeconds?: number;
    };
    res: NewKeyAnswer;
  };
  /** Revokes an API key at once. */
  "keys.revoke": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Makes a client token for a customer's own front end; it is shown this once. */
  "client_tokens.create": {
    req: NewClientToken;
    res: NewClientTokenAnswer;
  };
  /** Lists client tokens, newest first; those past their date are kept for a day. */
  "client_tokens.list": {
    req: ListClientTokens;
    res: ClientTokenPage;
  };
  /** Answers a client token, with what was kept with it. */
  "client_tokens.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: ClientToken;
  };
  /** Revokes a client token at once. */
  "client_tokens.revoke": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Says what a token is, and whether it would be let in now. */
  "client_tokens.introspect": {
    req: IntrospectToken;
    res: IntrospectedToken;
  };
  /** Makes an endpoint that is told what happens. */
  "webhooks.create": {
    req: NewWebhook;
    res: WebhookWithSecret;
  };
  /** Lists endpoints, without their secrets. */
  "webhooks.list": {
    req: ListWebhooks;
    res: WebhookPage;
  };
  /** Reads an endpoint and its secret. */
  "webhooks.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: WebhookWithSecret;
  };
  /** Changes where, what or whether an endpoint is told. */
  "webhooks.update": {
    req: {
      /** Whether it may lie on this machine or in a private network. */
      allowPrivate?: boolean | null;
      /** At most 2,000 characters. */
      description?: string | null;
      /** Whether it is told anything. What waits while it is not is delivered once it is again. */
      enabled?: boolean | null;
      /** What it is told; null: everything. */
      eventTypes?: WebhookEventType[] | null;
      /** Which one. */
      id: string;
      /** Where it is told. */
      url?: string | null;
    };
    res: Webhook;
  };
  /** Archives an endpoint: it is told nothing more. */
  "webhooks.archive": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Has a disabled endpoint told again, beginning with what waits. */
  "webhooks.enable": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Webhook;
  };
  /** Sends an endpoint a ping. */
  "webhooks.test": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Delivery;
  };
  /** Gives an endpoint a new secret; the one until now signs beside it for a while. */
  "webhooks.rotate": {
    req: {
      /** Which one. */
      id: string;
      /** For so many seconds the secret until now signs beside the new one: 0 to 604,800; 86,400 when not given. */
      overlapSeconds?: number;
    };
    res: WebhookWithSecret;
  };
  /** Lists what an endpoint was told, with every attempt. */
  "webhooks.deliveries": {
    req: {
      /** Where the last page ended. */
      cursor?: Cursor | null;
      /** Only those of this type. */
      eventType?: WebhookEventType | null;
      /** Which one. */
      id: string;
      /** Rows on a page. */
      limit?: number;
      /** Only those that have come so far. */
      state?: DeliveryState | null;
    };
    res: DeliveryPage;
  };
  /** Delivers a message once more. */
  "webhooks.redeliver": {
    req: {
      /** The delivery. */
      deliveryId: string;
      /** Which one. */
      id: string;
    };
    res: Delivery;
  };
  /** Says where the key that signing secrets derive from is kept. */
  "secrets.get": {
    req: Nothing;
    res: SecretsState;
  };
  /** Keeps the key that signing secrets derive from in another place, and moves it there. */
  "secrets.update": {
    req: KeepSecrets;
    res: SecretsState;
  };
  /** Says where programs reach the API. */
  "server.get": {
    req: Nothing;
    res: ServerState;
  };
  /** Makes room for a file that is sent in pieces. */
  "imports.create": {
    req: NewImport;
    res: Import;
  };
  /** Adds a piece to a file. */
  "imports.upload": {
    req: {
      /** At most 4 MiB, in base64. */
      data: string;
      /** Which one. */
      id: string;
      /** Where it begins: as many bytes as have been uploaded. */
      offset: number;
    };
    res: Import;
  };
  /** Shows a file's first rows, as they stand and as they would be recorded. */
  "imports.preview": {
    req: {
      /** Which one. */
      id: string;
      /** How its rows become events; guessed when not given. */
      mapping?: MappingInput | null;
    };
    res: Preview;
  };
  /** Begins to record a file's rows, in the background. */
  "imports.start": {
    req: {
      /** Which one. */
      id: string;
      /** How its rows become events. */
      mapping: MappingInput;
    };
    res: Import;
  };
  /** Says how far an import is. */
  "imports.get": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Import;
  };
  /** Stops an import; what is recorded stays. */
  "imports.cancel": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
  };
  /** Lists the rows that an import refused. */
  "imports.report": {
    req: {
      /** Which one. */
      id: string;
    };
    res: ImportReport;
  };
  /** Imports the sample data with its meters and limits; repeating it adds nothing. */
  "sample.create": {
    req: Nothing;
    res: SampleMade;
  };
  /** Draws a meter's series as an SVG or PNG file. */
  "charts.render": {
    req: NewChart;
    res: Picture;
  };
}

/** How each operation is reached over HTTP, under `/v1`. */
export const routes = {
  "project.get": ["GET", "/project"],
  "project.update": ["PUT", "/project"],
  "status.get": ["GET", "/status"],
  "usage.get": ["GET", "/usage"],
  "audit.list": ["GET", "/audit"],
  "customers.create": ["POST", "/customers"],
  "customers.list": ["GET", "/customers"],
  "customers.get": ["GET", "/customers/{id}"],
  "customers.update": ["PUT", "/customers/{id}"],
  "customers.archive": ["DELETE", "/customers/{id}"],
  "customers.restore": ["POST", "/customers/{id}/restore"],
  "customers.standing": ["GET", "/customers/{id}/standing"],
  "customers.usage": ["GET", "/customers/{id}/usage"],
  "customers.balances": ["GET", "/customers/{id}/balances"],
  "events.record": ["POST", "/events/record"],
  "events.batch": ["POST", "/events/batch"],
  "events.track": ["POST", "/track"],
  "reservations.create": ["POST", "/reservations"],
  "reservations.list": ["GET", "/reservations"],
  "reservations.get": ["GET", "/reservations/{id}"],
  "reservations.commit": ["POST", "/reservations/{id}/commit"],
  "reservations.release": ["POST", "/reservations/{id}/release"],
  "reservations.extend": ["POST", "/reservations/{id}/extend"],
  "events.list": ["GET", "/events"],
  "events.get": ["GET", "/events/{id}"],
  "events.void": ["POST", "/events/{id}/void"],
  "events.summary": ["GET", "/events/summary"],
  "meters.create": ["POST", "/meters"],
  "meters.list": ["GET", "/meters"],
  "meters.get": ["GET", "/meters/{id}"],
  "meters.update": ["PUT", "/meters/{id}"],
  "meters.archive": ["DELETE", "/meters/{id}"],
  "meters.restore": ["POST", "/meters/{id}/restore"],
  "meters.query": ["POST", "/meters/{id}/query"],
  "meters.preview": ["POST", "/meters/preview"],
  "limits.create": ["POST", "/limits"],
  "limits.list": ["GET", "/limits"],
  "limits.get": ["GET", "/limits/{id}"],
  "limits.update": ["PUT", "/limits/{id}"],
  "limits.archive": ["DELETE", "/limits/{id}"],
  "limits.restore": ["POST", "/limits/{id}/restore"],
  "limits.raise": ["POST", "/limits/{id}/overrides"],
  "limits.end_raise": ["DELETE", "/limits/{id}/overrides"],
  "limits.reset": ["POST", "/limits/{id}/reset"],
  "limits.sync": ["POST", "/limits/sync"],
  "limits.file": ["GET", "/limits/file"],
  "limits.apply": ["POST", "/limits/file"],
  "limits.check": ["POST", "/limits/check"],
  "limits.explain": ["POST", "/limits/explain"],
  "limits.standings": ["GET", "/limits/standings"],
  "rate_limits.create": ["POST", "/rate-limits"],
  "rate_limits.list": ["GET", "/rate-limits"],
  "rate_limits.get": ["GET", "/rate-limits/{id}"],
  "rate_limits.update": ["PUT", "/rate-limits/{id}"],
  "rate_limits.archive": ["DELETE", "/rate-limits/{id}"],
  "rate_limits.check": ["POST", "/rate-limits/check"],
  "balances.create": ["POST", "/balances"],
  "balances.list": ["GET", "/balances"],
  "balances.get": ["GET", "/balances/{id}"],
  "balances.update": ["PUT", "/balances/{id}"],
  "balances.archive": ["DELETE", "/balances/{id}"],
  "balances.restore": ["POST", "/balances/{id}/restore"],
  "balances.transactions": ["GET", "/balances/{id}/transactions"],
  "balances.statement": ["GET", "/balances/{id}/statement"],
  "balances.grants": ["GET", "/balances/{id}/grants"],
  "balances.holds": ["GET", "/balances/{id}/holds"],
  "balances.credit": ["POST", "/balances/credit"],
  "balances.debit": ["POST", "/balances/debit"],
  "balances.adjust": ["POST", "/balances/adjust"],
  "balances.hold": ["POST", "/balances/hold"],
  "balances.capture": ["POST", "/balances/holds/{id}/capture"],
  "balances.release": ["POST", "/balances/holds/{id}/release"],
  "balances.extend": ["POST", "/balances/holds/{id}/extend"],
  "balances.check": ["POST", "/balances/check"],
  "refusals.list": ["GET", "/refusals"],
  "refusals.series": ["GET", "/refusals/series"],
  "alerts.list": ["GET", "/alerts"],
  "alerts.get": ["GET", "/alerts/{id}"],
  "alerts.acknowledge": ["POST", "/alerts/{id}/acknowledge"],
  "alerts.acknowledge_all": ["POST", "/alerts/acknowledge"],
  "keys.create": ["POST", "/keys"],
  "keys.list": ["GET", "/keys"],
  "keys.update": ["PUT", "/keys/{id}"],
  "keys.rotate": ["POST", "/keys/{id}/rotate"],
  "keys.revoke": ["DELETE", "/keys/{id}"],
  "client_tokens.create": ["POST", "/client-tokens"],
  "client_tokens.list": ["GET", "/client-tokens"],
  "client_tokens.get": ["GET", "/client-tokens/{id}"],
  "client_tokens.revoke": ["DELETE", "/client-tokens/{id}"],
  "client_tokens.introspect": ["POST", "/client-tokens/introspect"],
  "webhooks.create": ["POST", "/webhooks"],
  "webhooks.list": ["GET", "/webhooks"],
  "webhooks.get": ["GET", "/webhooks/{id}"],
  "webhooks.update": ["PUT", "/webhooks/{id}"],
  "webhooks.archive": ["DELETE", "/webhooks/{id}"],
  "webhooks.enable": ["POST", "/webhooks/{id}/enable"],
  "webhooks.test": ["POST", "/webhooks/{id}/test"],
  "webhooks.rotate": ["POST", "/webhooks/{id}/rotate"],
  "webhooks.deliveries": ["GET", "/webhooks/{id}/deliveries"],
  "webhooks.redeliver": ["POST", "/webhooks/{id}/deliveries/{deliveryId}/redeliver"],
  "secrets.get": ["GET", "/secrets"],
  "secrets.update": ["PUT", "/secrets"],
  "server.get": ["GET", "/server"],
  "imports.create": ["POST", "/imports"],
  "imports.upload": ["POST", "/imports/{id}/upload"],
  "imports.preview": ["POST", "/imports/{id}/preview"],
  "imports.start": ["POST", "/imports/{id}/start"],
  "imports.get": ["GET", "/imports/{id}"],
  "imports.cancel": ["DELETE", "/imports/{id}"],
  "imports.report": ["GET", "/imports/{id}/report"],
  "sample.create": ["POST", "/sample"],
  "charts.render": ["POST", "/charts"],
} as const satisfies Record<keyof Operations, readonly [method: string, path: string]>;
