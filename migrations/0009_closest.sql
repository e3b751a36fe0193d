-- Standings: who is closest to a limit now is told by the index alone, though most of its rows may be of windows that are over.

DROP INDEX standing_limit_share;
CREATE INDEX standing_limit_share ON standing (usage_limit, share, customer, window_end);

PRAGMA user_version = 9;
