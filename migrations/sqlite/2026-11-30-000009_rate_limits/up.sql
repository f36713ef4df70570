-- Failed attempts and limited actions. A key is a digest, so the table holds no usernames, email
-- addresses or IP addresses.
CREATE TABLE rate_limit_counters (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    count INTEGER NOT NULL CHECK (count >= 1),
    last_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX rate_limit_counters_expires_at_idx ON rate_limit_counters (expires_at);
