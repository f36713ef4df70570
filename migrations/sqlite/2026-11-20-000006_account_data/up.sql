-- All of a user's sessions and events, for the user to see. No refresh changes these columns.
CREATE INDEX sessions_ever_of_user ON sessions (user_id, id);
CREATE INDEX events_of_user ON events (user_id, id) WHERE user_id IS NOT NULL;

-- Who holds a role: the primary key begins with the user.
CREATE INDEX user_roles_by_role ON user_roles (role);
