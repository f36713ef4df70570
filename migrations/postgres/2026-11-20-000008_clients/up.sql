-- The clients that have logged in to an account before. They go with the account.
CREATE TABLE known_clients (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The hash of what the client was given.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    ip text,
    user_agent text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX known_clients_secret_key ON known_clients (secret);
CREATE INDEX known_clients_of_user ON known_clients (user_id, id);
CREATE INDEX known_clients_to_sweep ON known_clients (expires_at);
