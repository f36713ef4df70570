-- The events become the entries of a chain. An event is written without a place in it; whoever seals
-- gives places later, in one transaction at a time.
ALTER TABLE events
ADD COLUMN actor_session_id uuid,
ADD COLUMN detail text,
ADD COLUMN salt bytea CHECK (octet_length(salt) = 16),
-- Lacking in events that the versions before have written.
ADD COLUMN commitment bytea CHECK (octet_length(commitment) = 32),
ADD COLUMN seq bigint CHECK (seq >= 1),
ADD COLUMN digest bytea CHECK (octet_length(digest) = 32),
ADD COLUMN signature text,
ADD CHECK ((seq IS NULL) = (digest IS NULL)),
ADD CHECK (signature IS NULL OR seq IS NOT NULL);

CREATE UNIQUE INDEX events_seq_key ON events (seq) WHERE seq IS NOT NULL;
CREATE INDEX events_to_seal ON events (id) WHERE seq IS NULL;
CREATE INDEX events_of_actor ON events (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX events_of_kind ON events (kind, id);

-- Both ends of the chain: one row, which is also the lock of whoever seals.
CREATE TABLE audit_chain (
    only_row boolean PRIMARY KEY CHECK (only_row),
    floor_seq bigint NOT NULL,
    floor_digest bytea NOT NULL CHECK (octet_length(floor_digest) = 32),
    floor_at timestamptz NOT NULL,
    floor_signature text NOT NULL,
    tip_seq bigint NOT NULL,
    tip_digest bytea NOT NULL CHECK (octet_length(tip_digest) = 32),
    tip_at timestamptz NOT NULL,
    tip_signature text NOT NULL
);

-- Accounts that are gone, and whose events are yet to lose what tells of a person.
CREATE TABLE erasures (
    user_id uuid PRIMARY KEY,
    requested_at timestamptz NOT NULL
);

CREATE INDEX erasures_in_order ON erasures (requested_at, user_id);

-- Also those that were deleted before there was this table.
INSERT INTO erasures (user_id, requested_at)
SELECT user_id, max(happened_at) FROM events
WHERE kind = 'account_deleted' AND user_id IS NOT NULL
GROUP BY user_id;

-- What was written down stays. An event gets its place once, may lose its personal part, and goes
-- with the end of the chain alone.
CREATE FUNCTION keep_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'events are not truncated';
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF OLD.seq IS NOT NULL THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'an event without a place in the chain is not deleted';
    END IF;
    IF ROW(NEW.id, NEW.happened_at, NEW.kind, NEW.reason, NEW.actor, NEW.actor_id, NEW.user_id,
           NEW.session_id, NEW.actor_session_id, NEW.detail, NEW.commitment)
       IS DISTINCT FROM
       ROW(OLD.id, OLD.happened_at, OLD.kind, OLD.reason, OLD.actor, OLD.actor_id, OLD.user_id,
           OLD.session_id, OLD.actor_session_id, OLD.detail, OLD.commitment)
       OR (OLD.seq IS NOT NULL AND ROW(NEW.seq, NEW.digest, NEW.signature)
           IS DISTINCT FROM ROW(OLD.seq, OLD.digest, OLD.signature))
       OR (NEW.ip IS NOT NULL AND NEW.ip IS DISTINCT FROM OLD.ip)
       OR (NEW.salt IS NOT NULL AND NEW.salt IS DISTINCT FROM OLD.salt)
    THEN
        RAISE EXCEPTION 'an event is not changed';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER events_are_kept BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION keep_event();

CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION keep_event();
