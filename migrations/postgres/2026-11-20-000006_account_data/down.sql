DROP INDEX user_roles_by_role;
DROP INDEX events_of_user;
DROP INDEX sessions_ever_of_user;
