-- Rate limits are counted: the calls that each admitted, in slots of a hundredth of its window, written in the commit that
-- admitted them. Slots that have left the window are removed.

CREATE TABLE rate_use (
    rate_limit  INTEGER NOT NULL,
    slot        INTEGER NOT NULL, -- since 1970
    customer    INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    PRIMARY KEY (rate_limit, slot, customer)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rate_limit_live_name ON rate_limit (coalesce(customer, 0), name) WHERE archived_at IS NULL;

-- Refusals over all customers, by time. A refusal of a customer that does not exist has customer 0.
CREATE INDEX refusal_at ON refusal (at);

PRAGMA user_version = 2;
