CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    -- No foreign key: an ended session outlives its user.
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
    -- Leaves room on each page for the next version of a row. A refresh changes no indexed column as a
    -- rule, so it then touches one page.
    fillfactor = 80
);

-- Partial, because ended sessions stay until the end of their lifetime.
CREATE INDEX sessions_user_id_created_at_idx ON sessions (user_id, created_at)
WHERE ended_at IS NULL;
-- Pages of a user's sessions, including the ended ones.
CREATE INDEX sessions_user_id_id_idx ON sessions (user_id, id);
-- Revoking a key ends the sessions it has signed for. A refresh writes this column, but the value
-- changes only after a key rotation.
CREATE INDEX sessions_key_id_idx ON sessions (key_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_lifetime_ends_at_idx ON sessions (lifetime_ends_at);
