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
-- Lists disabled accounts in order of their identifiers.
CREATE INDEX users_id_idx ON users (id) WHERE disabled;

CREATE TABLE user_roles (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- No foreign key to roles: the built-in roles have no row there, and a user may keep the name of a
    -- deleted role, which grants nothing.
    role TEXT NOT NULL CHECK (role GLOB '[a-z]*' AND role NOT GLOB '*[^-a-z0-9_]*'),
    PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_roles_role_user_id_idx ON user_roles (role, user_id);

-- Custom roles. The built-in roles are part of the program, so that they cannot be edited.
CREATE TABLE roles (
    name TEXT NOT NULL PRIMARY KEY CHECK (
        name GLOB '[a-z]*' AND name NOT GLOB '*[^-a-z0-9_]*' AND name NOT IN ('admin', 'user')
    ),
    -- Names of permissions, separated by commas.
    permissions TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
