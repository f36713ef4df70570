-- Sign-ups that wait. They keep no name and no address from anybody.
CREATE TABLE signups (
    id uuid PRIMARY KEY,
    -- The hash of what whoever signed up was given.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    username text COLLATE "C" NOT NULL CHECK (username <> ''),
    email text COLLATE "C" NOT NULL CHECK (email <> ''),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX signups_secret_key ON signups (secret);
CREATE INDEX signups_of_email ON signups (email, created_at);
CREATE INDEX signups_to_sweep ON signups (expires_at);

CREATE TABLE links (
    id uuid PRIMARY KEY,
    purpose text COLLATE "C" NOT NULL,
    -- A sign-up or an account, as the purpose says.
    subject_id uuid NOT NULL,
    -- What at most one link of a purpose has.
    place uuid NOT NULL,
    email text COLLATE "C" NOT NULL CHECK (email <> ''),
    key_id text COLLATE "C" NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    -- The hash of the token.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    code_tries bigint NOT NULL CHECK (code_tries >= 0),
    reserves_email boolean NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX links_place_key ON links (purpose, place);
CREATE UNIQUE INDEX links_secret_key ON links (secret);
CREATE INDEX links_of_email ON links (email);
CREATE INDEX links_of_subject ON links (subject_id);
CREATE INDEX links_to_sweep ON links (expires_at);

CREATE TABLE letters (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    recipient text COLLATE "C" NOT NULL CHECK (recipient <> ''),
    -- No foreign keys: a letter outlives what it tells of.
    user_id uuid,
    signup_id uuid,
    link_id uuid,
    caused_at timestamptz NOT NULL,
    ip text,
    slot text COLLATE "C",
    planned_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    -- The due_at before the letter was last taken: RETURNING has no order and sees new values alone.
    was_due_at timestamptz,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    state text COLLATE "C" NOT NULL,
    finished_at timestamptz,
    failure text,
    -- So "waits" can be said without a value, which is what lets a partial index serve.
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);

CREATE UNIQUE INDEX letters_slot_key ON letters (slot);
CREATE INDEX letters_to_send ON letters (due_at, id) WHERE finished_at IS NULL;
CREATE INDEX letters_of_user ON letters (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX letters_to_sweep ON letters (state, finished_at);
