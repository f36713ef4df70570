DROP INDEX users_disabled;
CREATE INDEX user_roles_by_role ON user_roles (role);
DROP INDEX user_roles_of_role;
DROP TABLE roles;
