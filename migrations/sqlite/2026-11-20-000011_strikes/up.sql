-- How many wrong secrets were given, under digests that tell no name and no address.
CREATE TABLE strikes (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    count INTEGER NOT NULL CHECK (count >= 1),
    last_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX strikes_to_sweep ON strikes (expires_at);
