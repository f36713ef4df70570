CREATE TABLE events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    happened_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    actor TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    -- No foreign keys: an event outlives what it tells of.
    user_id BLOB CHECK (length(user_id) = 16),
    session_id BLOB CHECK (length(session_id) = 16),
    ip TEXT
) STRICT;

CREATE INDEX events_of_session ON events (session_id, happened_at, id)
WHERE session_id IS NOT NULL;
