-- Devices that have logged in to an account before, so that a login from a new one can be reported.
CREATE TABLE known_devices (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The hash of the secret that the device received at its first login.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    ip text,
    user_agent text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX known_devices_secret_key ON known_devices (secret);
CREATE INDEX known_devices_user_id_id_idx ON known_devices (user_id, id);
CREATE INDEX known_devices_expires_at_idx ON known_devices (expires_at);
