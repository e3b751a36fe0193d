-- Webhooks: endpoints, what they are to be told, and every attempt at it. Client tokens, and where their pages may come from.

CREATE TABLE webhook (
    id             INTEGER PRIMARY KEY,
    uuid           BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    url            TEXT    NOT NULL,
    description    TEXT,
    event_types    TEXT,              -- JSON array; null: every one
    allow_private  INTEGER NOT NULL,  -- whether it may lie on this machine or in a private network
    enabled        INTEGER NOT NULL,
    disabled_at    INTEGER,           -- when too many failures in a row disabled it
    failures       INTEGER NOT NULL DEFAULT 0, -- in a row
    last_at        INTEGER,           -- the last attempt: when it began, how many microseconds it took, and what came of it
    last_took      INTEGER,
    last_status    INTEGER,
    last_error     TEXT,
    salt           BLOB    NOT NULL CHECK (length(salt) = 16), -- with the folder's secret key, its signing secret
    secret_hash    BLOB    NOT NULL CHECK (length(secret_hash) = 32), -- SHA-256 of that: whether the key is still the same
    old_salt       BLOB    CHECK (length(old_salt) = 16),      -- the one before the last rotation
    old_until      INTEGER,           -- until when that signs too
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    archived_at    INTEGER
) STRICT;

-- What endpoints are told, written in the transaction of its cause.
CREATE TABLE message (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16), -- derived from what it is about: there is one
    type        TEXT    NOT NULL,
    body        TEXT    NOT NULL, -- as it is signed and sent
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX message_created ON message (created_at);

CREATE TABLE delivery (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    webhook     INTEGER NOT NULL REFERENCES webhook (id),
    message     INTEGER NOT NULL REFERENCES message (seq),
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER,           -- when to try next, while it waits
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    CHECK ((state = 'waiting') = (next_at IS NOT NULL))
) STRICT;
-- The first that waits is the next to be told: an endpoint is told in order.
CREATE INDEX delivery_waiting ON delivery (webhook, seq) WHERE state = 'waiting';
CREATE INDEX delivery_webhook ON delivery (webhook, seq);
CREATE INDEX delivery_message ON delivery (message);

CREATE TABLE delivery_attempt (
    delivery     INTEGER NOT NULL REFERENCES delivery (seq) ON DELETE CASCADE,
    number       INTEGER NOT NULL, -- from 1
    at           INTEGER NOT NULL,
    took         INTEGER NOT NULL, -- microseconds
    status       INTEGER,          -- of the answer, if there was one
    error        TEXT,             -- why there was none, or why it does not count
    request      TEXT    NOT NULL, -- its headers, as JSON
    response     TEXT,             -- the beginning of the answer's body
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- When a summary of usage is next due, by interval.
CREATE TABLE summary_due (
    interval  TEXT    PRIMARY KEY CHECK (interval IN ('day', 'week', 'month')),
    since     INTEGER NOT NULL  -- up to when usage has been told
) STRICT, WITHOUT ROWID;

-- Alerts that a change of configuration made due are told in one summary: 1 while it is being drawn up.
ALTER TABLE alert ADD COLUMN in_summary INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alert_in_summary ON alert (usage_limit, threshold) WHERE in_summary = 1;

CREATE TABLE client_token (
    id               INTEGER PRIMARY KEY,
    uuid             BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    hash             BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256 of the whole token
    customer         TEXT    NOT NULL, -- the external id; the customer may come into being later
    public_metadata  TEXT    NOT NULL, -- JSON object
    server_context   TEXT,             -- JSON
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    revoked_at       INTEGER
) STRICT;
CREATE INDEX client_token_expires ON client_token (expires_at);
CREATE INDEX client_token_customer ON client_token (customer, id);

ALTER TABLE project ADD COLUMN client_origins TEXT NOT NULL DEFAULT '[]'; -- JSON array of origins whose pages may use client tokens

PRAGMA user_version = 6;
