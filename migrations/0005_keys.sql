-- Keys: their own rate limits, and the secret before the last rotation.

ALTER TABLE api_key ADD COLUMN per_minute INTEGER; -- null: as many as it likes
ALTER TABLE api_key ADD COLUMN per_day INTEGER;
ALTER TABLE api_key ADD COLUMN old_hash BLOB CHECK (length(old_hash) = 32); -- SHA-256 of the secret before
ALTER TABLE api_key ADD COLUMN old_until INTEGER;                           -- until when that is good
CREATE UNIQUE INDEX api_key_old_hash ON api_key (old_hash) WHERE old_hash IS NOT NULL;

PRAGMA user_version = 5;
