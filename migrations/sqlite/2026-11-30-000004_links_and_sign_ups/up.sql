-- Sign-ups that wait for a confirmed email address. They reserve neither the username nor the email
-- address: an attacker could otherwise block both without owning the mailbox.
CREATE TABLE signups (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- The hash of the secret that the client received when it signed up.
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    username TEXT NOT NULL CHECK (username <> ''),
    email TEXT NOT NULL CHECK (email <> ''),
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX signups_secret_key ON signups (secret);
CREATE INDEX signups_email_created_at_idx ON signups (email, created_at);
CREATE INDEX signups_expires_at_idx ON signups (expires_at);

CREATE TABLE links (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    purpose TEXT NOT NULL,
    -- A sign-up, a user or a session, depending on the purpose. So there is no foreign key.
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    -- The subject if a new link replaces older ones of its purpose, otherwise the link itself.
    dedup_key BLOB NOT NULL CHECK (length(dedup_key) = 16),
    email TEXT NOT NULL CHECK (email <> ''),
    key_id TEXT NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    -- The hash of the token.
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    code_attempts INTEGER NOT NULL CHECK (code_attempts >= 0),
    reserves_email INTEGER NOT NULL CHECK (reserves_email IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX links_purpose_dedup_key_key ON links (purpose, dedup_key);
CREATE UNIQUE INDEX links_secret_key ON links (secret);
CREATE INDEX links_email_idx ON links (email);
CREATE INDEX links_subject_id_idx ON links (subject_id);
CREATE INDEX links_expires_at_idx ON links (expires_at);
