-- What every node must apply to its cache. SQLite has one writer at a time, so seq is in commit order;
-- AUTOINCREMENT never reuses a number.
CREATE TABLE invalidation_events (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Always 0. Postgres stores the writing transaction here.
    xid INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    -- The identifier of a session, user, key or role, as text. The kind says which.
    subject TEXT,
    revoked_before INTEGER,
    reason TEXT,
    happened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX invalidation_events_expires_at_idx ON invalidation_events (expires_at);
