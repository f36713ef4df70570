CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    -- No foreign key: a session that is over outlives its user.
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    auth_time timestamptz NOT NULL,
    lifetime_ends_at timestamptz NOT NULL,
    ip text,
    user_agent text,
    client_name text,
    generation bigint NOT NULL CHECK (generation >= 1),
    rotated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    idempotency_hash bytea CHECK (octet_length(idempotency_hash) = 32),
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    ended_at timestamptz,
    end_reason text,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) WITH (
    -- Room on each page for the next version of a row: with no index on what a refresh changes,
    -- it then touches one page.
    fillfactor = 80
);

-- Ended sessions stay for a month, and nobody asks a user for them.
CREATE INDEX sessions_of_user ON sessions (user_id, created_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_to_sweep ON sessions (lifetime_ends_at);
