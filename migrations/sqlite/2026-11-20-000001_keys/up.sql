-- What all nodes share: one row, which is also the lock of whoever makes keys.
-- In all tables: an identifier is a blob of 16 bytes, a time is microseconds since 1970.
CREATE TABLE instance (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    issuer TEXT NOT NULL CHECK (issuer <> ''),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    purpose TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    -- The private part, sealed with the master key.
    sealed BLOB NOT NULL,
    public_jwk TEXT,
    created_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL
) STRICT;
