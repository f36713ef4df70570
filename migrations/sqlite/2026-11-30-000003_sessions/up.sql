CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- No foreign key: an ended session outlives its user.
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    created_at INTEGER NOT NULL,
    auth_time INTEGER NOT NULL,
    lifetime_ends_at INTEGER NOT NULL,
    ip TEXT,
    user_agent TEXT,
    client_name TEXT,
    generation INTEGER NOT NULL CHECK (generation >= 1),
    rotated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    idempotency_hash BLOB CHECK (length(idempotency_hash) = 32),
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    ended_at INTEGER,
    end_reason TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;

-- Partial, because ended sessions stay until the end of their lifetime.
CREATE INDEX sessions_user_id_created_at_idx ON sessions (user_id, created_at)
WHERE ended_at IS NULL;
-- Pages of a user's sessions, including the ended ones.
CREATE INDEX sessions_user_id_id_idx ON sessions (user_id, id);
-- Revoking a key ends the sessions it has signed for.
CREATE INDEX sessions_key_id_idx ON sessions (key_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_lifetime_ends_at_idx ON sessions (lifetime_ends_at);
