-- The clients that have logged in to an account before. They go with the account.
CREATE TABLE known_clients (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The hash of what the client was given.
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    ip TEXT,
    user_agent TEXT,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX known_clients_secret_key ON known_clients (secret);
CREATE INDEX known_clients_of_user ON known_clients (user_id, id);
CREATE INDEX known_clients_to_sweep ON known_clients (expires_at);
