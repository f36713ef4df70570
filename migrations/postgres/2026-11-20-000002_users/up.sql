CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- Collation C: lower() then folds ASCII alone, the same everywhere.
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

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text COLLATE "C" NOT NULL CHECK (role ~ '^[a-z][a-z0-9_-]*$'),
    PRIMARY KEY (user_id, role)
);
