-- What every node must apply to its cache. SQLite has one writer at a time, so seq is in commit order;
-- AUTOINCREMENT never reuses a number.
CREATE TABLE news (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Always 0. Postgres stores the writing transaction here.
    xid INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    -- The identifier of a session, user, key or role, as text. The kind says which.
    subject TEXT,
    cut_off INTEGER,
    reason TEXT,
    happened_at INTEGER NOT NULL,
    matters_until INTEGER NOT NULL
) STRICT;

CREATE INDEX news_matters_until_idx ON news (matters_until);
