CREATE TABLE events (
    id uuid PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    kind text NOT NULL,
    reason text,
    actor text NOT NULL,
    actor_id uuid,
    -- No foreign keys: an event outlives what it tells of.
    user_id uuid,
    session_id uuid,
    ip text
);

CREATE INDEX events_of_session ON events (session_id, happened_at, id)
WHERE session_id IS NOT NULL;
