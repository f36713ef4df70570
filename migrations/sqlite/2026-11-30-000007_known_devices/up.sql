-- Devices that have logged in to an account before, so that a login from a new one can be reported.
CREATE TABLE known_devices (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The hash of the secret that the device received at its first login.
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    ip TEXT,
    user_agent TEXT,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX known_devices_secret_key ON known_devices (secret);
CREATE INDEX known_devices_user_id_id_idx ON known_devices (user_id, id);
CREATE INDEX known_devices_expires_at_idx ON known_devices (expires_at);
