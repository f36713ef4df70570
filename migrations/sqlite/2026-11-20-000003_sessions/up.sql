CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- No foreign key: a session that is over outlives its user.
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

-- Ended sessions stay for a month, and nobody asks a user for them.
CREATE INDEX sessions_of_user ON sessions (user_id, created_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_to_sweep ON sessions (lifetime_ends_at);
