DROP TABLE roles;
DROP TABLE user_roles;
DROP TABLE users;
