-- Balances: their ledger, grants, debt and holds; and alerts of balances beside those of limits.

-- Nothing had been written to these.
DROP TABLE ledger_entry;
DROP TABLE balance;

CREATE TABLE balance (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    customer      INTEGER NOT NULL REFERENCES customer (id),
    name          TEXT    NOT NULL,
    unit          TEXT,
    settings      TEXT    NOT NULL, -- minimum, thresholds, filters, priority, recurring credit
    rate          INTEGER,          -- balance_rate.id, of a balance that pays for usage
    version       INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    archived_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX balance_live_name ON balance (customer, name) WHERE archived_at IS NULL;
CREATE INDEX balance_customer ON balance (customer);

-- What usage of a meter costs, how much of the meter was paid for at that price, and what was booked for it.
CREATE TABLE balance_rate (
    id       INTEGER PRIMARY KEY,
    balance  INTEGER NOT NULL REFERENCES balance (id),
    meter    INTEGER NOT NULL REFERENCES meter (id),
    amount   TEXT    NOT NULL,
    per      INTEGER NOT NULL,
    counted  TEXT    NOT NULL DEFAULT '0', -- in steps of 10^-9: totals outgrow what a caller may send
    booked   TEXT    NOT NULL DEFAULT '0'
) STRICT;
CREATE INDEX balance_rate_meter ON balance_rate (meter);

-- Facts: never changed.
CREATE TABLE ledger_entry (
    seq              INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL CHECK (length(id) = 16),
    balance          INTEGER NOT NULL,
    type             TEXT    NOT NULL CHECK (type IN ('credit', 'debit', 'expiry', 'adjustment')),
    units            INTEGER NOT NULL,
    nanos            INTEGER NOT NULL CHECK (nanos BETWEEN 0 AND 999999999),
    after_units      INTEGER NOT NULL,
    after_nanos      INTEGER NOT NULL CHECK (after_nanos BETWEEN 0 AND 999999999),
    parts            TEXT    NOT NULL, -- [[grant, amount], ..]: the grants, by entry, that it was paid from or given back to; null: debt
    cause            TEXT    NOT NULL,
    description      TEXT    NOT NULL,
    reference        TEXT,
    idempotency_key  TEXT,
    event            INTEGER,          -- event.seq that it pays for, or that was voided
    rate             INTEGER,          -- the price that it was paid at
    quantity         TEXT,             -- how much of the meter
    hold             INTEGER,          -- balance_hold.seq that it captured
    overdrawn        INTEGER NOT NULL DEFAULT 0, -- the event took the balance below its minimum
    created_at       INTEGER NOT NULL,
    actor            INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_entry_balance ON ledger_entry (balance, created_at);
CREATE INDEX ledger_entry_event ON ledger_entry (event) WHERE event IS NOT NULL;
CREATE UNIQUE INDEX ledger_entry_reference ON ledger_entry (balance, type, reference) WHERE reference IS NOT NULL;

-- Events, and voids of them, that come to less than can be booked: they count for the price of the next.
CREATE TABLE unpriced (
    event     INTEGER NOT NULL,
    rate      INTEGER NOT NULL,
    is_void   INTEGER NOT NULL CHECK (is_void IN (0, 1)),
    quantity  TEXT    NOT NULL,
    PRIMARY KEY (event, rate, is_void)
) STRICT, WITHOUT ROWID;

-- The keys that callers gave, by hash, unique per balance for ever.
CREATE TABLE balance_key (
    balance    INTEGER NOT NULL,
    key_hash   BLOB    NOT NULL,
    body_hash  BLOB    NOT NULL,
    entry      INTEGER, -- ledger_entry.seq, or
    hold       INTEGER, -- balance_hold.seq
    PRIMARY KEY (balance, key_hash)
) STRICT, WITHOUT ROWID;

-- Money that came in with an entry, and what is left of it.
CREATE TABLE credit_grant (
    entry       INTEGER PRIMARY KEY, -- ledger_entry.seq
    balance     INTEGER NOT NULL,
    units       INTEGER NOT NULL,
    nanos       INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    expires_at  INTEGER,
    source      TEXT    NOT NULL,
    left_units  INTEGER NOT NULL,
    left_nanos  INTEGER NOT NULL,
    expired     INTEGER NOT NULL DEFAULT 0 CHECK (expired IN (0, 1)) -- its date took what was left of it
) STRICT;
CREATE INDEX credit_grant_balance ON credit_grant (balance, entry);
CREATE INDEX credit_grant_left ON credit_grant (balance) WHERE left_units > 0 OR left_nanos > 0;

-- What is still owed of an entry.
CREATE TABLE debt (
    entry    INTEGER PRIMARY KEY, -- ledger_entry.seq
    balance  INTEGER NOT NULL,
    units    INTEGER NOT NULL,
    nanos    INTEGER NOT NULL
) STRICT;
CREATE INDEX debt_balance ON debt (balance, entry);

-- A grant paid for an entry that had been owed.
CREATE TABLE repayment (
    id        INTEGER PRIMARY KEY,
    balance   INTEGER NOT NULL,
    "grant"   INTEGER NOT NULL, -- ledger_entry.seq it came in by
    debit     INTEGER NOT NULL, -- ledger_entry.seq that had been owed
    units     INTEGER NOT NULL,
    nanos     INTEGER NOT NULL,
    at        INTEGER NOT NULL
) STRICT;
CREATE INDEX repayment_debit ON repayment (debit);

CREATE TABLE balance_hold (
    seq              INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    balance          INTEGER NOT NULL,
    units            INTEGER NOT NULL,
    nanos            INTEGER NOT NULL,
    parts            TEXT    NOT NULL, -- [[grant, amount], ..]
    description      TEXT    NOT NULL,
    reference        TEXT,
    idempotency_key  TEXT,
    reservation      BLOB,
    expires_at       INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('live', 'captured', 'released', 'expired')),
    entry            INTEGER,          -- ledger_entry.seq that it was captured by
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER,
    actor            INTEGER NOT NULL
) STRICT;
CREATE INDEX balance_hold_balance ON balance_hold (balance, seq);
CREATE INDEX balance_hold_live ON balance_hold (balance) WHERE state = 'live';

-- What a balance comes to: follows from the ledger and the holds, and is written with them.
CREATE TABLE account (
    balance          INTEGER PRIMARY KEY,
    current_units    INTEGER NOT NULL,
    current_nanos    INTEGER NOT NULL,
    available_units  INTEGER NOT NULL,
    available_nanos  INTEGER NOT NULL,
    is_low           INTEGER NOT NULL,
    due_at           INTEGER, -- when something happens by itself next
    recurring_since  INTEGER, -- the next recurring credit comes with the window after the one that this lies in
    low_count        INTEGER NOT NULL, -- alerts so far; whether the next fall is a new one; whether the last one is up
    low_armed        INTEGER NOT NULL,
    low_up           INTEGER NOT NULL,
    top_up_count     INTEGER NOT NULL,
    top_up_armed     INTEGER NOT NULL,
    top_up_up        INTEGER NOT NULL
) STRICT;
CREATE INDEX account_low ON account (is_low DESC, available_units, available_nanos, balance);
CREATE INDEX account_due ON account (due_at) WHERE due_at IS NOT NULL;

-- What was spent on a day of UTC.
CREATE TABLE balance_day (
    balance  INTEGER NOT NULL,
    day      INTEGER NOT NULL, -- since 1970
    units    INTEGER NOT NULL,
    nanos    INTEGER NOT NULL,
    PRIMARY KEY (balance, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_of_any (
    seq              INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind             TEXT    NOT NULL CHECK (kind IN ('limit_threshold', 'balance_low', 'balance_top_up')),
    customer         INTEGER NOT NULL REFERENCES customer (id),
    usage_limit      INTEGER REFERENCES usage_limit (id),
    balance          INTEGER REFERENCES balance (id),
    threshold        INTEGER,          -- of a limit: percent
    arming           TEXT,             -- of a limit: under which value and thresholds, and how many times before
    times            INTEGER NOT NULL, -- of a limit: how many times it had been due before within the window; of a balance: in all
    window_start     INTEGER,
    window_end       INTEGER,
    level            TEXT    NOT NULL, -- the limit's value as it was crossed, or the balance's threshold
    was              TEXT    NOT NULL, -- what was used then, or what the balance was
    top_up           TEXT,             -- how much to add
    created_at       INTEGER NOT NULL,
    acknowledged_at  INTEGER,
    acknowledged_by  INTEGER,          -- actor
    resolved_at      INTEGER,
    CHECK ((kind = 'limit_threshold') = (usage_limit IS NOT NULL) AND (kind = 'limit_threshold') = (balance IS NULL))
) STRICT;
INSERT INTO alert_of_any (seq, id, kind, customer, usage_limit, threshold, arming, times, window_start, window_end, level, was,
        created_at, acknowledged_at, acknowledged_by, resolved_at)
    SELECT seq, id, 'limit_threshold', customer, usage_limit, threshold, arming, times, window_start, window_end, limit_value, used,
        created_at, acknowledged_at, acknowledged_by, resolved_at FROM alert;
DROP TABLE alert;
ALTER TABLE alert_of_any RENAME TO alert;
CREATE INDEX alert_customer ON alert (customer, seq);
CREATE INDEX alert_limit ON alert (usage_limit, seq);
CREATE INDEX alert_balance ON alert (balance, seq) WHERE balance IS NOT NULL;
CREATE INDEX alert_window ON alert (window_end);
CREATE INDEX alert_up ON alert (seq) WHERE resolved_at IS NULL;

PRAGMA user_version = 4;
