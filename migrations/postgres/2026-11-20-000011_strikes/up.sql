-- How many wrong secrets were given, under digests that tell no name and no address.
CREATE TABLE strikes (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    count bigint NOT NULL CHECK (count >= 1),
    last_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (
    -- Room on each page for the next version of a row.
    fillfactor = 80
);

CREATE INDEX strikes_to_sweep ON strikes (expires_at);
