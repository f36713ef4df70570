-- Sign-ups that wait. They keep no name and no address from anybody.
CREATE TABLE signups (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- The hash of what whoever signed up was given.
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    username TEXT NOT NULL CHECK (username <> ''),
    email TEXT NOT NULL CHECK (email <> ''),
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX signups_secret_key ON signups (secret);
CREATE INDEX signups_of_email ON signups (email, created_at);
CREATE INDEX signups_to_sweep ON signups (expires_at);

CREATE TABLE links (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    purpose TEXT NOT NULL,
    -- A sign-up or an account, as the purpose says.
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    -- What at most one link of a purpose has.
    place BLOB NOT NULL CHECK (length(place) = 16),
    email TEXT NOT NULL CHECK (email <> ''),
    key_id TEXT NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    -- The hash of the token.
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    code_tries INTEGER NOT NULL CHECK (code_tries >= 0),
    reserves_email INTEGER NOT NULL CHECK (reserves_email IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX links_place_key ON links (purpose, place);
CREATE UNIQUE INDEX links_secret_key ON links (secret);
CREATE INDEX links_of_email ON links (email);
CREATE INDEX links_of_subject ON links (subject_id);
CREATE INDEX links_to_sweep ON links (expires_at);

CREATE TABLE letters (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL CHECK (recipient <> ''),
    -- No foreign keys: a letter outlives what it tells of.
    user_id BLOB CHECK (length(user_id) = 16),
    signup_id BLOB CHECK (length(signup_id) = 16),
    link_id BLOB CHECK (length(link_id) = 16),
    caused_at INTEGER NOT NULL,
    ip TEXT,
    slot TEXT,
    planned_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    -- The due_at before the letter was last taken: RETURNING has no order and sees new values alone.
    was_due_at INTEGER,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    state TEXT NOT NULL,
    finished_at INTEGER,
    failure TEXT,
    -- So "waits" can be said without a value, which is what lets a partial index serve.
    CHECK ((state = 'waiting') = (finished_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX letters_slot_key ON letters (slot);
CREATE INDEX letters_to_send ON letters (due_at, id) WHERE finished_at IS NULL;
CREATE INDEX letters_of_user ON letters (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX letters_to_sweep ON letters (state, finished_at);
