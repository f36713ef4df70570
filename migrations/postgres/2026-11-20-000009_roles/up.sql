-- The roles beside those that are built in, which are the same everywhere and no rows.
CREATE TABLE roles (
    name text COLLATE "C" PRIMARY KEY
    CHECK (name ~ '^[a-z][a-z0-9_-]*$' AND name NOT IN ('admin', 'user')),
    -- Names of permissions with commas between.
    permissions text COLLATE "C" NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Who holds a role, in the order of their identifiers. No foreign key to roles: an account keeps the
-- name of a role that is deleted, and it gives nothing.
CREATE INDEX user_roles_of_role ON user_roles (role, user_id);
DROP INDEX user_roles_by_role;

CREATE INDEX users_disabled ON users (id) WHERE disabled;
