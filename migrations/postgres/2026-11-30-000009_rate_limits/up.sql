-- Failed attempts and limited actions. A key is a digest, so the table holds no usernames, email
-- addresses or IP addresses.
CREATE TABLE rate_limit_counters (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    count bigint NOT NULL CHECK (count >= 1),
    last_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (
    -- Leaves room on each page for the next version of a row.
    fillfactor = 80
);

CREATE INDEX rate_limit_counters_expires_at_idx ON rate_limit_counters (expires_at);
