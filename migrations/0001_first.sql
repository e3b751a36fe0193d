-- Weir's data file. Facts are written once; projections follow from them and can be recomputed at any time.
--
-- Conventions: instants are UTC microseconds; ids are UUIDv7 as 16-byte blobs; a quantity is `units` and `nanos`
-- (0..999,999,999, floored). Sums are kept as `hi` * 2^32 + `lo` units and `nanos`, three plain sums that may be added up in
-- SQL without overflow and need not be normalised.

PRAGMA application_id = 0x57454952; -- "WEIR"

CREATE TABLE project (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    uuid        BLOB    NOT NULL CHECK (length(uuid) = 16),
    name        TEXT    NOT NULL,
    timezone    TEXT    NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

-- Who wrote a fact: one row for each copy of the file that ever wrote. A restored copy is a new device.
CREATE TABLE device (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    is_self     INTEGER NOT NULL CHECK (is_self IN (0, 1))
) STRICT;

-- Who asked for it: the operator at the window, an API key, the command line, Weir itself.
CREATE TABLE actor (
    id          INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE customer (
    id                   INTEGER PRIMARY KEY,
    uuid                 BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    external_id          TEXT    NOT NULL UNIQUE,
    name                 TEXT,
    email                TEXT,
    timezone             TEXT,
    billing_cycle_start  TEXT    NOT NULL,
    metadata             TEXT    NOT NULL DEFAULT '{}',
    version              INTEGER NOT NULL DEFAULT 1,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    archived_at          INTEGER
) STRICT;

CREATE TABLE event_type (
    id    INTEGER PRIMARY KEY,
    name  TEXT    NOT NULL UNIQUE
) STRICT;

-- Facts. `seq` is device * 2^40 + the device's own gapless count, so it is unique across devices without an index more.
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL,
    customer     INTEGER NOT NULL,
    type         INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL,
    actor        INTEGER NOT NULL,
    "values"     TEXT    NOT NULL, -- {"name": number, ..}, numbers with every digit
    dimensions   TEXT    NOT NULL, -- {"name": "text", ..}, the effective set
    properties   TEXT              -- null when empty
) STRICT;
CREATE UNIQUE INDEX event_id ON event (id);
CREATE INDEX event_customer_at ON event (customer, at);

-- The keys that callers gave, by hash, unique per customer for ever.
CREATE TABLE event_key (
    customer   INTEGER NOT NULL,
    key_hash   BLOB    NOT NULL,
    event      INTEGER NOT NULL, -- event.seq
    body_hash  BLOB    NOT NULL,
    PRIMARY KEY (customer, key_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE void (
    seq     INTEGER PRIMARY KEY,
    event   INTEGER NOT NULL UNIQUE, -- event.seq
    at      INTEGER NOT NULL,
    actor   INTEGER NOT NULL,
    reason  TEXT
) STRICT;

CREATE TABLE meter (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name         TEXT    NOT NULL,
    description  TEXT,
    aggregation  TEXT    NOT NULL,
    field        TEXT    NOT NULL,
    event_type   TEXT,
    dimensions   TEXT    NOT NULL DEFAULT '{}',
    group_by     TEXT    NOT NULL DEFAULT '[]',
    unit         TEXT,
    built_in     INTEGER NOT NULL DEFAULT 0 CHECK (built_in IN (0, 1)),
    series       INTEGER NOT NULL, -- the generation of roll-ups that answers for it
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    archived_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX meter_live_name ON meter (name) WHERE archived_at IS NULL;

CREATE TABLE usage_limit (
    id                 INTEGER PRIMARY KEY,
    uuid               BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name               TEXT    NOT NULL,
    meter              INTEGER NOT NULL REFERENCES meter (id),
    customer           INTEGER REFERENCES customer (id), -- null: a default for every customer
    units              INTEGER NOT NULL,
    nanos              INTEGER NOT NULL CHECK (nanos BETWEEN 0 AND 999999999),
    period             TEXT    NOT NULL,
    dimension_filters  TEXT    NOT NULL DEFAULT '{}',
    alert_thresholds   TEXT    NOT NULL DEFAULT '[]',
    enforcement        TEXT    NOT NULL CHECK (enforcement IN ('hard', 'soft')),
    enabled            INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    version            INTEGER NOT NULL DEFAULT 1,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    archived_at        INTEGER
) STRICT;
CREATE UNIQUE INDEX usage_limit_live_name ON usage_limit (coalesce(customer, 0), name) WHERE archived_at IS NULL;
CREATE INDEX usage_limit_customer ON usage_limit (customer) WHERE customer IS NOT NULL;
CREATE INDEX usage_limit_meter ON usage_limit (meter);

-- A limit's other value until an instant.
CREATE TABLE limit_override (
    seq          INTEGER PRIMARY KEY,
    usage_limit  INTEGER NOT NULL REFERENCES usage_limit (id),
    customer     INTEGER NOT NULL REFERENCES customer (id),
    units        INTEGER NOT NULL,
    nanos        INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    note         TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    actor        INTEGER NOT NULL
) STRICT;
CREATE INDEX limit_override_customer ON limit_override (customer, usage_limit, until);

-- A goodwill reset: only events that arrived after it count in the window it fell in.
CREATE TABLE limit_reset (
    seq          INTEGER PRIMARY KEY,
    usage_limit  INTEGER NOT NULL REFERENCES usage_limit (id),
    customer     INTEGER NOT NULL REFERENCES customer (id),
    after_event  INTEGER NOT NULL, -- event.seq
    note         TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    actor        INTEGER NOT NULL
) STRICT;
CREATE INDEX limit_reset_customer ON limit_reset (customer, usage_limit, at);

CREATE TABLE rate_limit (
    id                 INTEGER PRIMARY KEY,
    uuid               BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name               TEXT    NOT NULL,
    customer           INTEGER REFERENCES customer (id),
    span               TEXT    NOT NULL,
    units              INTEGER NOT NULL,
    dimension_filters  TEXT    NOT NULL DEFAULT '{}',
    enabled            INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    version            INTEGER NOT NULL DEFAULT 1,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    archived_at        INTEGER
) STRICT;

-- What is held: a share of limits (a reservation), or of a balance.
CREATE TABLE hold (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind        TEXT    NOT NULL CHECK (kind IN ('reservation', 'balance')),
    customer    INTEGER NOT NULL REFERENCES customer (id),
    balance     INTEGER,
    body        TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('live', 'captured', 'released', 'expired')),
    event       INTEGER,          -- event.seq, once captured
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    actor       INTEGER NOT NULL
) STRICT;
CREATE INDEX hold_live ON hold (expires_at) WHERE state = 'live';
CREATE INDEX hold_customer ON hold (customer, created_at);

CREATE TABLE balance (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    customer     INTEGER NOT NULL REFERENCES customer (id),
    name         TEXT    NOT NULL,
    unit         TEXT,
    settings     TEXT    NOT NULL DEFAULT '{}',
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    archived_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX balance_live_name ON balance (customer, name) WHERE archived_at IS NULL;

CREATE TABLE ledger_entry (
    seq            INTEGER PRIMARY KEY,
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    balance        INTEGER NOT NULL REFERENCES balance (id),
    type           TEXT    NOT NULL CHECK (type IN ('credit', 'debit', 'expiry', 'adjustment')),
    units          INTEGER NOT NULL,
    nanos          INTEGER NOT NULL CHECK (nanos BETWEEN 0 AND 999999999),
    after_units    INTEGER NOT NULL,
    after_nanos    INTEGER NOT NULL CHECK (after_nanos BETWEEN 0 AND 999999999),
    "grant"        INTEGER,       -- ledger_entry.seq of the credit it was taken from
    event          INTEGER,       -- event.seq that caused it
    reference      TEXT,
    key_hash       BLOB,
    body_hash      BLOB,
    detail         TEXT    NOT NULL DEFAULT '{}',
    created_at     INTEGER NOT NULL,
    actor          INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_entry_balance ON ledger_entry (balance, seq);
CREATE UNIQUE INDEX ledger_entry_key ON ledger_entry (balance, key_hash) WHERE key_hash IS NOT NULL;

CREATE TABLE alert (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind        TEXT    NOT NULL,
    customer    INTEGER NOT NULL REFERENCES customer (id),
    subject     INTEGER NOT NULL, -- the limit or balance
    body        TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved')),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_state ON alert (state, created_at);

-- What was refused; bounded in number.
CREATE TABLE refusal (
    seq       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE INDEX refusal_customer_at ON refusal (customer, at);

-- Answers kept for callers that repeat themselves.
CREATE TABLE receipt (
    credential    BLOB    NOT NULL,
    route         TEXT    NOT NULL,
    key_hash      BLOB    NOT NULL,
    request_hash  BLOB    NOT NULL,
    status        INTEGER NOT NULL,
    answer        BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (credential, route, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_created ON receipt (created_at);

-- Every change of configuration: who, what, before, after.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      INTEGER NOT NULL,
    operation  TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    before     TEXT,
    after      TEXT
) STRICT;
CREATE INDEX audit_target ON audit (target, seq);

CREATE TABLE api_key (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name          TEXT    NOT NULL,
    scope         TEXT    NOT NULL CHECK (scope IN ('read', 'ingest', 'manage')),
    hash          BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256 of the whole key
    prefix        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    last_used_at  INTEGER,
    revoked_at    INTEGER
) STRICT;

-- How far an exchange with another engine has come, per device and kind of fact.
CREATE TABLE sync_position (
    remote  BLOB    NOT NULL,
    device  INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (remote, device, kind)
) STRICT, WITHOUT ROWID;

-- Projections from here on.

-- One generation of a meter's roll-ups. Series 0 is the base roll-up: for every event type a count and the sum of each value.
CREATE TABLE series (
    id       INTEGER PRIMARY KEY,
    meter    INTEGER,                    -- null for the base roll-up
    ready    INTEGER NOT NULL DEFAULT 0, -- has caught up with the events and follows them
    retired  INTEGER NOT NULL DEFAULT 0  -- no longer used; its rows are being removed
) STRICT;

-- Up to which event of each device a series has counted. Series -1 stands for all that are ready.
CREATE TABLE watermark (
    series   INTEGER NOT NULL,
    device   INTEGER NOT NULL,
    applied  INTEGER NOT NULL, -- event.seq
    PRIMARY KEY (series, device)
) STRICT, WITHOUT ROWID;

-- The groups of a series by number: ["feature","code"] for a breakdown, ["type","value"] in the base roll-up.
CREATE TABLE series_group (
    id      INTEGER PRIMARY KEY,
    series  INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    UNIQUE (series, key)
) STRICT;

-- Dimensions with more groups than are kept: their breakdowns are answered from events.
CREATE TABLE series_overflow (
    series     INTEGER NOT NULL,
    dimension  TEXT    NOT NULL,
    PRIMARY KEY (series, dimension)
) STRICT, WITHOUT ROWID;

-- A meter's value in a quarter of an hour (UTC). Customer 0: all customers; grp 0: all groups. Which columns count depends on the
-- aggregation: sum and avg: count, hi, lo, nanos; count: count; max and min: the value in hi, lo, nanos (normalised); latest: also at, event.
CREATE TABLE rollup (
    series    INTEGER NOT NULL,
    customer  INTEGER NOT NULL,
    grp       INTEGER NOT NULL,
    bucket    INTEGER NOT NULL, -- microseconds, on the quarter hour
    count     INTEGER NOT NULL,
    hi        INTEGER NOT NULL,
    lo        INTEGER NOT NULL,
    nanos     INTEGER NOT NULL,
    at        INTEGER,
    event     BLOB,
    PRIMARY KEY (series, customer, grp, bucket)
) STRICT, WITHOUT ROWID;

-- The distinct members that a `unique` meter saw in a quarter of an hour, by hash.
CREATE TABLE rollup_member (
    series    INTEGER NOT NULL,
    customer  INTEGER NOT NULL,
    grp       INTEGER NOT NULL,
    bucket    INTEGER NOT NULL,
    member    BLOB    NOT NULL,
    PRIMARY KEY (series, customer, grp, bucket, member)
) STRICT, WITHOUT ROWID;

-- Where customers stand with the limits that apply to them, for sorting over all customers; decisions are taken elsewhere.
CREATE TABLE standing (
    customer     INTEGER NOT NULL,
    usage_limit  INTEGER NOT NULL,
    used_hi      INTEGER NOT NULL, -- as in roll-ups
    used_lo      INTEGER NOT NULL,
    used_nanos   INTEGER NOT NULL,
    share        REAL    NOT NULL, -- used / limit, for sorting alone
    window_end   INTEGER,
    PRIMARY KEY (customer, usage_limit)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_share ON standing (share);
CREATE INDEX standing_limit_share ON standing (usage_limit, share);
CREATE INDEX standing_window_end ON standing (window_end) WHERE window_end IS NOT NULL;

-- The times of each customer's earliest and latest event.
CREATE TABLE customer_activity (
    customer        INTEGER PRIMARY KEY,
    first_event_at  INTEGER NOT NULL,
    last_event_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX customer_activity_first ON customer_activity (first_event_at);
CREATE INDEX customer_activity_last ON customer_activity (last_event_at);

-- Long work in chunks: what is done and where it goes on.
CREATE TABLE job (
    id      INTEGER PRIMARY KEY,
    kind    TEXT    NOT NULL UNIQUE,
    cursor  INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 1;
