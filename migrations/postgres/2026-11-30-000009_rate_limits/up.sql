-- Failed attempts and limited actions. A key is a digest, so the table holds no usernames, email
-- addresses or IP addresses.
CREATE TABLE strikes (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    count bigint NOT NULL CHECK (count >= 1),
    last_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (
    -- Leaves room on each page for the next version of a row.
    fillfactor = 80
);

CREATE INDEX strikes_expires_at_idx ON strikes (expires_at);
