-- Limits raised until an instant, reservations, and alerts.

-- Counts what makes an alert due again: other values or thresholds, or something else that is counted.
ALTER TABLE usage_limit ADD COLUMN arming INTEGER NOT NULL DEFAULT 1;

CREATE TRIGGER usage_limit_rearm AFTER UPDATE OF meter, units, nanos, period, dimension_filters, alert_thresholds ON usage_limit
WHEN (OLD.meter, OLD.units, OLD.nanos, OLD.period, OLD.dimension_filters, OLD.alert_thresholds)
    IS NOT (NEW.meter, NEW.units, NEW.nanos, NEW.period, NEW.dimension_filters, NEW.alert_thresholds)
BEGIN
    UPDATE usage_limit SET arming = OLD.arming + 1 WHERE id = NEW.id;
END;

-- The newest row of a customer and limit counts, until its end. A raise that is taken back early is a row that ends at once.
ALTER TABLE limit_override ADD COLUMN ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)); -- its end has been judged
CREATE INDEX limit_override_due ON limit_override (until) WHERE ended = 0;

-- Whether a hard limit would have refused what a captured reservation came to.
ALTER TABLE hold ADD COLUMN overdrawn INTEGER CHECK (overdrawn IN (0, 1));

-- One alert for a limit, customer, window, threshold and arming; its id derives from these. Nothing had been written here before.
DROP TABLE alert;
CREATE TABLE alert (
    seq              INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    customer         INTEGER NOT NULL REFERENCES customer (id),
    usage_limit      INTEGER NOT NULL REFERENCES usage_limit (id),
    threshold        INTEGER NOT NULL, -- percent
    arming           TEXT    NOT NULL, -- under which value and thresholds of the limit, and how many times before
    times            INTEGER NOT NULL, -- how many times it had been due before within the window, where usage may fall again
    window_start     INTEGER,
    window_end       INTEGER,
    limit_value      TEXT    NOT NULL, -- the limit's value as it was crossed
    used             TEXT    NOT NULL, -- what was used then
    created_at       INTEGER NOT NULL,
    acknowledged_at  INTEGER,
    acknowledged_by  INTEGER,          -- actor
    resolved_at      INTEGER
) STRICT;
CREATE INDEX alert_customer ON alert (customer, seq);
CREATE INDEX alert_limit ON alert (usage_limit, seq);
-- Those of windows that last, which decisions know; and those that are up.
CREATE INDEX alert_window ON alert (window_end);
CREATE INDEX alert_up ON alert (seq) WHERE resolved_at IS NULL;

-- Thresholds were not told before: everyone is judged once.
INSERT INTO job (kind, cursor) VALUES ('standings', 0) ON CONFLICT (kind) DO UPDATE SET cursor = 0;

PRAGMA user_version = 3;
