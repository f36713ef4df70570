CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- With the collation "C", lower() folds ASCII only and gives the same result on every server.
    username text COLLATE "C" NOT NULL CHECK (username <> ''),
    email text COLLATE "C" NOT NULL CHECK (email <> ''),
    email_verified boolean NOT NULL,
    disabled boolean NOT NULL,
    password_hash text NOT NULL,
    credentials_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (email);
-- Lists disabled accounts in order of their identifiers.
CREATE INDEX users_id_idx ON users (id) WHERE disabled;

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- No foreign key to roles: the built-in roles have no row there, and a user may keep the name of a
    -- deleted role, which grants nothing.
    role text COLLATE "C" NOT NULL CHECK (role ~ '^[a-z][a-z0-9_-]*$'),
    PRIMARY KEY (user_id, role)
);

CREATE INDEX user_roles_role_user_id_idx ON user_roles (role, user_id);

-- Custom roles. The built-in roles are part of the program, so that they cannot be edited.
CREATE TABLE roles (
    name text COLLATE "C" PRIMARY KEY
    CHECK (name ~ '^[a-z][a-z0-9_-]*$' AND name NOT IN ('admin', 'user')),
    -- Names of permissions, separated by commas.
    permissions text COLLATE "C" NOT NULL,
    updated_at timestamptz NOT NULL
);
