-- The settings that all nodes must agree on. There is one row, and nodes lock it to create keys one
-- at a time.
CREATE TABLE instance (
    only_row boolean PRIMARY KEY CHECK (only_row),
    issuer text NOT NULL CHECK (issuer <> ''),
    created_at timestamptz NOT NULL
);

CREATE TABLE keys (
    id text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
    purpose text NOT NULL,
    algorithm text NOT NULL,
    -- The secret part, encrypted with the master key.
    wrapped bytea NOT NULL,
    -- NULL for a symmetric key.
    public_jwk text,
    created_at timestamptz NOT NULL,
    active_from timestamptz NOT NULL,
    revoked_at timestamptz
);
