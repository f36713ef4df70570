-- What every node must apply to its cache. Transactions do not commit in the order in which they
-- write, so each row names its transaction: a reader compares it with its snapshot to know which
-- rows it has not seen yet.
CREATE TABLE invalidation_events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    kind text COLLATE "C" NOT NULL,
    -- The identifier of a session, user, key or role, as text. The kind says which.
    subject text COLLATE "C",
    revoked_before timestamptz,
    reason text COLLATE "C",
    happened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX invalidation_events_xid_seq_idx ON invalidation_events (xid, seq);
CREATE INDEX invalidation_events_expires_at_idx ON invalidation_events (expires_at);

-- Postgres delivers the notification when the transaction commits.
CREATE FUNCTION notify_invalidation_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gateward_invalidations', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER invalidation_events_notify AFTER INSERT ON invalidation_events
    FOR EACH STATEMENT EXECUTE FUNCTION notify_invalidation_events();
