-- What tracking answered under an event's own key, for its repeats: kept for a day. Ids ascend with time: what is new comes last, and
-- what is old goes first.
CREATE TABLE track_answer (
    event  BLOB NOT NULL PRIMARY KEY,
    answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The headers of a kept answer, as a list of names and values.
ALTER TABLE receipt ADD COLUMN headers TEXT NOT NULL DEFAULT '[]';

PRAGMA user_version = 10;
