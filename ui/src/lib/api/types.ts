/**
 * The wire: every shape the console reads or sends, behind one module.
 * Whoever needs one imports it from here, so that where it comes from can change without touching a screen.
 */

/** An exact decimal as text. Only `$lib/format/quantity` looks inside; it never becomes a number except for pixels. */
export type Q = string & { readonly __q: true };

/** An instant: RFC 3339 in UTC. */
export type Time = string;

export type Page<T> = { data: T[]; nextCursor: string | null; hasMore: boolean };

export type Aggregation = "sum" | "count" | "max" | "latest" | "min" | "avg" | "unique";
export type Period = "hour" | "day" | "week" | "month" | "annual" | "all_time";
export type Interval = "1m" | "15m" | "hour" | "day" | "week" | "month";
export type Enforcement = "hard" | "soft";
export type Scope = "manage" | "ingest" | "read";
export type Topic = "customers" | "events" | "meters" | "limits" | "standings" | "imports" | "keys" | "project";

export interface Project {
  id: string;
  name: string;
  timezone: string;
  createdAt: Time;
  updatedAt: Time;
}

export interface Status {
  version: string;
  dataDir: string;
  dataBytes: number;
  events: number;
  customers: number;
  /** By the events' own timestamps. */
  firstEventAt: Time | null;
  lastEventAt: Time | null;
  lastRecordedAt: Time | null;
  eventsPerSecond: number;
  serverAddress: string | null;
  now: Time;
}

export interface Customer {
  id: string;
  projectId: string;
  externalId: string;
  name: string | null;
  email: string | null;
  timezone: string | null;
  billingCycleStart: string;
  metadata: Record<string, string>;
  createdAt: Time;
  updatedAt: Time;
  archivedAt: Time | null;
  lastEventAt?: Time | null;
  /** Per cent of the most used live limit, truncated to two digits. */
  utilisation?: Q | null;
}

export interface UsageEvent {
  id: string;
  projectId: string;
  customerId: string;
  eventType: string;
  values: Record<string, Q>;
  dimensions: Record<string, string>;
  properties: Record<string, unknown>;
  timestamp: Time;
  createdAt: Time;
  voidedAt: Time | null;
  voidReason: string | null;
}

/** An event and what it counted on. */
export interface EventDetail {
  event: UsageEvent;
  meters: { id: string; name: string; value: Q | null }[];
  limits: { id: string; name: string; period: Period }[];
}

export interface EventFilter {
  eventType: string | null;
  dimensions: Record<string, string>;
}

export interface Meter {
  id: string;
  projectId: string;
  name: string;
  description: string | null;
  aggregation: Aggregation;
  field: string;
  eventFilter: EventFilter;
  groupBy: string[];
  unit: string | null;
  builtIn: boolean;
  state: "ready" | "building";
  progress: { done: number; total: number };
  createdAt: Time;
  updatedAt: Time;
  archivedAt: Time | null;
}

export interface Limit {
  id: string;
  projectId: string;
  name: string;
  meterId: string;
  limitValue: Q;
  period: Period;
  customerId: string | null;
  dimensionFilters: Record<string, string>;
  alertThresholds: number[];
  enforcement: Enforcement;
  enabled: boolean;
  version: number;
  createdAt: Time;
  updatedAt: Time;
  archivedAt: Time | null;
}

export interface Standing {
  limitId: string;
  name: string;
  meterId: string;
  meterName: string;
  unit: string | null;
  aggregation: Aggregation;
  period: Period;
  limit: Q;
  used: Q;
  held: Q;
  remaining: Q;
  exceeded: boolean;
  /** Unix seconds; null where the window never ends. */
  reset: number | null;
  windowStart: Time | null;
  windowEnd: Time | null;
  enforcement: Enforcement;
  source: "own" | "default";
  dimensionFilters: Record<string, string>;
  /** Per cent, truncated to two digits. */
  utilisation: Q;
}

export interface StandingRow {
  customerId: string;
  customerName: string | null;
  standing: Standing;
}

export interface CheckedLimit {
  id: string;
  name: string;
  meterId: string;
  period: Period;
  limit: Q;
  used: Q;
  held: Q;
  remaining: Q;
  exceeded: boolean;
  reset: number | null;
}

export interface MeterUsage {
  meterId: string;
  name: string;
  aggregation: Aggregation;
  unit: string | null;
  value: Q | null;
}

export interface Point {
  start: Time;
  end: Time;
  value: Q | null;
}

export interface Group {
  key: Record<string, string | null>;
  value: Q | null;
  points: Point[];
}

export interface Series {
  /** Null where there is no event at all. */
  from: Time | null;
  to: Time | null;
  interval: Interval | null;
  timezone: string;
  value: Q | null;
  points: Point[];
  groups: Group[];
  /** There are more groups than were asked for. */
  moreGroups: boolean;
}

export interface Key {
  id: string;
  projectId: string;
  name: string;
  scope: Scope;
  prefix: string;
  createdAt: Time;
  lastUsedAt: Time | null;
  expiresAt: Time | null;
  revokedAt: Time | null;
}

export interface Import {
  id: string;
  fileName: string;
  size: number;
  uploaded: number;
  state: "uploading" | "ready" | "running" | "done" | "failed" | "cancelled";
  rows: number;
  recorded: number;
  duplicates: number;
  refused: number;
  bytesDone: number;
  error: string | null;
  startedAt: Time | null;
  finishedAt: Time | null;
}

export type MappingSource = { value: string } | { column: string };

export interface Mapping {
  customer: MappingSource;
  eventType: MappingSource;
  timestamp: { column: string };
  timezone?: string;
  values: { name: string; columns: string[] }[];
  dimensions: ({ name: string; column: string } | { name: string; value: string })[];
  idColumn?: string;
}

export interface EventDraft {
  customerId: string;
  eventType: string;
  values?: Record<string, Q>;
  dimensions?: Record<string, string>;
  properties?: Record<string, unknown>;
  timestamp?: Time;
  idempotencyKey?: string;
}

export type ImportedLine = { line: number; event: EventDraft } | { line: number; error: { code: string; message: string } };

export interface ImportPreview {
  format: "csv" | "jsonl";
  gzip: boolean;
  columns: string[];
  rows: string[][];
  mapping: Mapping;
  events: ImportedLine[];
  problem: string | null;
}

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

type Empty = Record<string, never>;
type Paged = { limit?: number; cursor?: string };
type Range = { from?: Time; to?: Time };
type Success = { success: true };

export interface CustomerFields {
  name?: string | null;
  email?: string | null;
  timezone?: string | null;
  billingCycleStart?: string;
  metadata?: Record<string, string>;
}

export type CustomerSort = "newest" | "externalId" | "utilisation" | "lastEvent";

export interface MeterFields {
  name: string;
  description?: string | null;
  aggregation: Aggregation;
  field: string;
  eventFilter?: Partial<EventFilter>;
  groupBy?: string[];
  unit?: string | null;
}

export interface LimitFields {
  name: string;
  meterId: string;
  limitValue: Q;
  period: Period;
  customerId?: string | null;
  dimensionFilters?: Record<string, string>;
  alertThresholds?: number[];
  enforcement?: Enforcement;
  enabled?: boolean;
}

/** Each operation's request and answer, by its name. */
export interface Operations {
  "project.get": { req: Empty; res: Project };
  "project.update": { req: { name?: string; timezone?: string }; res: Project };
  "status.get": { req: Empty; res: Status };
  "customers.create": { req: { externalId: string } & CustomerFields; res: Customer };
  "customers.list": {
    req: { query?: string; includeArchived?: boolean; sort?: CustomerSort } & Paged;
    res: Page<Customer> & { total: number };
  };
  "customers.get": { req: { id: string }; res: Customer };
  "customers.update": { req: { id: string } & CustomerFields; res: Customer };
  "customers.archive": { req: { id: string }; res: Success };
  "customers.restore": { req: { id: string }; res: Customer };
  "customers.standing": { req: { id: string }; res: { customerId: string; timezone: string; limits: Standing[] } };
  "customers.usage": { req: { id: string } & Range; res: { customerId: string; from: Time; to: Time; meters: MeterUsage[] } };
  "events.record": { req: EventDraft; res: { id: string; recorded: true } };
  "events.batch": { req: { events: EventDraft[] }; res: { count: number; duplicates: number } };
  "events.list": {
    req: {
      customerId?: string;
      eventType?: string;
      dimensions?: Record<string, string>;
      includeVoided?: boolean;
    } & Range &
      Paged;
    res: Page<UsageEvent>;
  };
  "events.get": { req: { id: string }; res: EventDetail };
  "events.summary": {
    req: { customerId?: string } & Range;
    res: { from: Time; to: Time; totalEvents: number; types: { eventType: string; count: number; values: Record<string, Q> }[] };
  };
  "usage.get": { req: Range; res: { from: Time; to: Time; events: number; activeCustomers: number } };
  "meters.create": { req: MeterFields; res: Meter };
  "meters.list": { req: { query?: string; includeArchived?: boolean } & Paged; res: Page<Meter> };
  "meters.get": { req: { id: string }; res: Meter };
  "meters.update": { req: { id: string } & Partial<MeterFields>; res: Meter };
  "meters.archive": { req: { id: string }; res: Success };
  "meters.restore": { req: { id: string }; res: Meter };
  "meters.query": {
    req: {
      id: string;
      customerId?: string;
      interval?: Interval;
      groupBy?: string[];
      dimensions?: Record<string, string>;
      groupLimit?: number;
    } & Range;
    res: Series & { meterId: string };
  };
  "meters.preview": {
    req: {
      aggregation: Aggregation;
      field: string;
      eventFilter?: Partial<EventFilter>;
      groupBy?: string[];
      customerId?: string;
      interval?: Interval;
    } & Range;
    res: { answer: Series & { meterId: null }; matchedEvents: number; sample: UsageEvent[] };
  };
  "limits.create": { req: LimitFields; res: Limit };
  "limits.list": {
    req: { customerId?: string; effective?: boolean; meterId?: string; includeArchived?: boolean } & Paged;
    res: Page<Limit>;
  };
  "limits.get": { req: { id: string }; res: Limit };
  "limits.update": { req: { id: string } & Partial<LimitFields>; res: Limit };
  "limits.archive": { req: { id: string }; res: Success };
  "limits.restore": { req: { id: string }; res: Limit };
  "limits.check": {
    req: { customerId: string; dimensions?: Record<string, string>; eventType?: string; values?: Record<string, Q> };
    res: { allowed: boolean; limits: CheckedLimit[] };
  };
  "limits.standings": { req: { limitId?: string } & Paged; res: Page<StandingRow> };
  "keys.create": { req: { name: string; scope: Scope; expiresAt?: Time }; res: Key & { key: string } };
  "keys.list": { req: Paged; res: Page<Key> };
  "keys.revoke": { req: { id: string }; res: Success };
  "imports.create": { req: { fileName: string; size: number }; res: Import };
  "imports.upload": { req: { id: string; offset: number; data: string }; res: Import };
  "imports.preview": { req: { id: string; mapping?: Mapping }; res: ImportPreview };
  "imports.start": { req: { id: string; mapping: Mapping }; res: Import };
  "imports.get": { req: { id: string }; res: Import };
  "imports.cancel": { req: { id: string }; res: Success };
  "imports.report": { req: { id: string }; res: { refused: { line: number; code: string; message: string }[]; total: number } };
  "sample.create": { req: Empty; res: { events: number; customers: number; meters: string[]; limits: string[] } };
  "charts.render": {
    req: {
      meterId: string;
      customerId?: string;
      interval?: Interval;
      groupBy?: string[];
      format: "svg" | "png";
      theme: "light" | "dark";
      width?: number;
      height?: number;
      title?: string;
    } & Range;
    res: { contentType: string; data: string };
  };
}

export type OpName = keyof Operations;
export type Req<O extends OpName> = Operations[O]["req"];
export type Res<O extends OpName> = Operations[O]["res"];
