-- What all nodes must learn. Only one writes at a time, so the numbers are in the order of the
-- commits; AUTOINCREMENT uses none twice.
CREATE TABLE news (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Nothing here: the other database needs to know which transaction wrote a row.
    xid INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    -- Whom or what it is about, as text: each kind has its own.
    subject TEXT,
    cut_off INTEGER,
    reason TEXT,
    happened_at INTEGER NOT NULL,
    matters_until INTEGER NOT NULL
) STRICT;

CREATE INDEX news_to_sweep ON news (matters_until);

-- What a key has signed is ended with it.
CREATE INDEX sessions_of_key ON sessions (key_id) WHERE ended_at IS NULL;

ALTER TABLE keys ADD COLUMN revoked_at INTEGER;
