-- In every table, an identifier is a blob of 16 bytes and a time is in microseconds since 1970.

-- The settings that all nodes must agree on. There is one row, and nodes lock it to create keys one
-- at a time.
CREATE TABLE instance (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    issuer TEXT NOT NULL CHECK (issuer <> ''),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    purpose TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    -- The secret part, encrypted with the master key.
    wrapped BLOB NOT NULL,
    -- NULL for a symmetric key.
    public_jwk TEXT,
    created_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
