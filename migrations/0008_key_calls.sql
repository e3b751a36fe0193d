-- Keys: their calls, so that a restart begins no minute and no day anew.

-- By slot of a hundredth of a minute and of a day, as last written down: [[[slot, calls], ...], [[slot, calls], ...]].
ALTER TABLE api_key ADD COLUMN calls TEXT;

PRAGMA user_version = 8;
