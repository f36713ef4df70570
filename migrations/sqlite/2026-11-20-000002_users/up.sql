CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    username TEXT NOT NULL CHECK (username <> ''),
    email TEXT NOT NULL CHECK (email <> ''),
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    password_hash TEXT NOT NULL,
    credentials_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (email);

CREATE TABLE user_roles (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role GLOB '[a-z]*' AND role NOT GLOB '*[^-a-z0-9_]*'),
    PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;
