// Made from the table of operations; a test of weir-api fails when the two differ and says how to write it anew.

/** An exact decimal, as its digits. Never a JavaScript number. */
export type Quantity = string & { readonly __q: true };

/** An instant: RFC 3339 in UTC. */
export type Time = string;

/** How a meter turns events into one value. */
export type Aggregation = "sum" | "count" | "max" | "latest" | "min" | "avg" | "unique";

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
  /** `operator`, `key`, `cli` or `system`. */
  kind: string;
  /** The key's name. */
  label?: string | null;
  /** Which one: a key's id, or empty where there is only one. */
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
  /** Which fact: `aud_` and its number. */
  id: string;
  /** What was done, such as `limits.update`. */
  operation: string;
  /** The project it belongs to. */
  projectId: ProjectId;
  /** The id of what was changed; of a backup, the file. */
  target: string;
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

/** A batch is durable. */
export type BatchRecorded = {
  /** Events newly recorded. */
  count: number;
  /** Events that had been recorded before under the same key. */
  duplicates: number;
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
  /** The event's type. */
  eventType?: string | null;
  /** The event's values; given, the event's own share is part of the decision. */
  values?: Record<string, Quantity> | null;
};

/** The answer to a check. */
export type CheckAnswer = {
  /** Whether no hard limit refuses. */
  allowed: boolean;
  /** The limits that apply: refusing ones first, then by the least remaining share, then by id. */
  limits: CheckedLimit[];
};

/** A question: may this customer make a call now? Nothing is consumed. */
export type CheckRates = {
  /** The customer's external id. */
  customerId: string;
  /** The call's dimensions; without them, every rate limit of the customer applies. */
  dimensions?: Record<string, string> | null;
  /** The event's type, for filters on `event_type`. */
  eventType?: string | null;
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
  /** The meter over the current window. */
  used: Quantity;
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

/** The form of a file. */
export type FileFormat = "csv" | "jsonl";

/** A value of one group. */
export type Group = {
  /** The dimensions; null for events without it. */
  key: Record<string, string | null>;
  /** The value per interval, when one was asked for. */
  points: Point[];
  /** The value over the whole range. */
  value: Quantity | null;
};

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

/** How finely a range of time is divided. */
export type Interval = "1m" | "15m" | "hour" | "day" | "week" | "month";

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
  /** What is left. */
  remaining: Quantity;
  /** When the window ends, in Unix seconds; null for `all_time`. */
  reset: number | null;
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

/** Which audit facts to list: newest first. */
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
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Which customers to list. */
export type ListCustomers = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Also the archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
  /** Part of an external id, name, email or metadata value, in any case. */
  query?: string | null;
  /** The order. */
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
};

/** Which rate limits to list, newest first. */
export type ListRateLimits = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Only this customer's own. */
  customerId?: string | null;
  /** Also the archived ones. */
  includeArchived?: boolean;
  /** Rows on a page. */
  limit?: number;
};

/** Which refusals to list, newest first. */
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
  /** Up to this instant, exclusive. */
  to?: Time | null;
};

/** Which standings to list: closest to their limit first. */
export type ListStandings = {
  /** Where the last page ended. */
  cursor?: Cursor | null;
  /** Rows on a page. */
  limit?: number;
  /** Only those with this limit. */
  limitId?: LimitId | null;
};

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
  /** What it may do. */
  scope: Scope;
};

/** A key just made, with its secret, which is shown this once. */
export type NewKeyAnswer = {
  /** When it was made. */
  createdAt: Time;
  /** When it stops working. */
  expiresAt: Time | null;
  /** Which key. */
  id: KeyId;
  /** The secret. Only a hash of it is kept. */
  key: string;
  /** What it is for. */
  name: string;
  /** The first characters of the secret. */
  prefix: string;
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

/** Nothing else is asked. */
export type Nothing = Record<string, never>;

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
  /** Always true. */
  recorded: boolean;
};

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
export type RefusalReason = "customer_rate_limited" | "limit_exceeded";

/** What was refused, and by what. */
export type RefusedCall = {
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

/** What the sample brought. */
export type SampleMade = {
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
  /** 1 to 1,000 limits, each known by its customer and name. */
  limits: StatedLimitInput[];
  /** Only say what would change. */
  preview?: boolean;
};

/** Where the time stands. */
export type TimeSource = {
  /** A column of times in RFC 3339, alike without a zone, or counted since 1970 in seconds, milliseconds or microseconds. */
  column: string;
};

/** A tracked event is durable. */
export type Tracked = {
  /** Which event; of a repeat, the first one's. */
  id: EventId;
  /** The limits that the event counts on, with the event: by the least remaining share, then by id. */
  limits: CheckedLimit[];
  /** Always true. */
  recorded: boolean;
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
  /** Lists refused calls, newest first. */
  "refusals.list": {
    req: ListRefusals;
    res: RefusalPage;
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
  /** Revokes an API key at once. */
  "keys.revoke": {
    req: {
      /** Which one. */
      id: string;
    };
    res: Success;
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
  "events.record": ["POST", "/events/record"],
  "events.batch": ["POST", "/events/batch"],
  "events.track": ["POST", "/track"],
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
  "limits.sync": ["POST", "/limits/sync"],
  "limits.file": ["GET", "/limits/file"],
  "limits.apply": ["POST", "/limits/file"],
  "limits.check": ["POST", "/limits/check"],
  "limits.standings": ["GET", "/limits/standings"],
  "rate_limits.create": ["POST", "/rate-limits"],
  "rate_limits.list": ["GET", "/rate-limits"],
  "rate_limits.get": ["GET", "/rate-limits/{id}"],
  "rate_limits.update": ["PUT", "/rate-limits/{id}"],
  "rate_limits.archive": ["DELETE", "/rate-limits/{id}"],
  "rate_limits.check": ["POST", "/rate-limits/check"],
  "refusals.list": ["GET", "/refusals"],
  "keys.create": ["POST", "/keys"],
  "keys.list": ["GET", "/keys"],
  "keys.revoke": ["DELETE", "/keys/{id}"],
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
