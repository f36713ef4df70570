-- Failed attempts and limited actions. A key is a digest, so the table holds no usernames, email
-- addresses or IP addresses.
CREATE TABLE strikes (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    count INTEGER NOT NULL CHECK (count >= 1),
    last_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX strikes_expires_at_idx ON strikes (expires_at);
