-- Sessions of the console in browsers: begun with a key, and good for as long as the secret that they were begun with, at most.

CREATE TABLE session (
    id          INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256 of the whole token
    key         INTEGER NOT NULL REFERENCES api_key (id),
    secret      BLOB    NOT NULL CHECK (length(secret) = 32),      -- SHA-256 of the key's secret that it was begun with
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX session_key ON session (key, id);
CREATE INDEX session_expires ON session (expires_at);

PRAGMA user_version = 7;
