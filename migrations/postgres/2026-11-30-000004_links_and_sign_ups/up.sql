-- Sign-ups that wait for a confirmed email address. They reserve neither the username nor the email
-- address: an attacker could otherwise block both without owning the mailbox.
CREATE TABLE signups (
    id uuid PRIMARY KEY,
    -- The hash of the secret that the client received when it signed up.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    username text COLLATE "C" NOT NULL CHECK (username <> ''),
    email text COLLATE "C" NOT NULL CHECK (email <> ''),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX signups_secret_key ON signups (secret);
CREATE INDEX signups_email_created_at_idx ON signups (email, created_at);
CREATE INDEX signups_expires_at_idx ON signups (expires_at);

CREATE TABLE links (
    id uuid PRIMARY KEY,
    purpose text COLLATE "C" NOT NULL,
    -- A sign-up, a user or a session, depending on the purpose. So there is no foreign key.
    subject_id uuid NOT NULL,
    -- The subject if a new link replaces older ones of its purpose, otherwise the link itself.
    dedup_key uuid NOT NULL,
    email text COLLATE "C" NOT NULL CHECK (email <> ''),
    key_id text COLLATE "C" NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    -- The hash of the token.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    code_attempts bigint NOT NULL CHECK (code_attempts >= 0),
    reserves_email boolean NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX links_purpose_dedup_key_key ON links (purpose, dedup_key);
CREATE UNIQUE INDEX links_secret_key ON links (secret);
CREATE INDEX links_email_idx ON links (email);
CREATE INDEX links_subject_id_idx ON links (subject_id);
CREATE INDEX links_expires_at_idx ON links (expires_at);
