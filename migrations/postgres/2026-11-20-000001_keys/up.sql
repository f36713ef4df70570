-- What all nodes share: one row, which is also the lock of whoever makes keys.
CREATE TABLE instance (
    only_row boolean PRIMARY KEY CHECK (only_row),
    issuer text NOT NULL CHECK (issuer <> ''),
    created_at timestamptz NOT NULL
);

CREATE TABLE keys (
    id text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
    purpose text NOT NULL,
    algorithm text NOT NULL,
    -- The private part, sealed with the master key.
    sealed bytea NOT NULL,
    public_jwk text,
    created_at timestamptz NOT NULL,
    active_from timestamptz NOT NULL
);
