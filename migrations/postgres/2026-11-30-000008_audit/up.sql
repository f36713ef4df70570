-- The audit trail. A transaction inserts its events without seq and digest. A background job appends
-- them to the hash chain later, one transaction at a time, so that the chain has one order.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    kind text NOT NULL,
    reason text,
    actor text NOT NULL,
    actor_id uuid,
    -- No foreign keys: an event outlives its user and session.
    user_id uuid,
    session_id uuid,
    -- Personal data. An erasure clears it together with the salt.
    ip text,
    actor_session_id uuid,
    detail text,
    salt bytea CHECK (octet_length(salt) = 16),
    -- The salted hash of the IP address. The chain covers this instead of the address, so an erasure
    -- does not break the chain.
    commitment bytea CHECK (octet_length(commitment) = 32),
    seq bigint CHECK (seq >= 1),
    digest bytea CHECK (octet_length(digest) = 32),
    signature text,
    CHECK ((seq IS NULL) = (digest IS NULL)),
    CHECK (signature IS NULL OR seq IS NOT NULL)
);

CREATE UNIQUE INDEX events_seq_key ON events (seq) WHERE seq IS NOT NULL;
-- Events that are not in the chain yet.
CREATE INDEX events_id_idx ON events (id) WHERE seq IS NULL;
CREATE INDEX events_session_id_happened_at_id_idx ON events (session_id, happened_at, id)
WHERE session_id IS NOT NULL;
CREATE INDEX events_user_id_id_idx ON events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX events_actor_id_id_idx ON events (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX events_kind_id_idx ON events (kind, id);

-- Both ends of the chain. There is one row, and nodes lock it to append to the chain one at a time.
CREATE TABLE audit_chain (
    only_row boolean PRIMARY KEY CHECK (only_row),
    retention_boundary_seq bigint NOT NULL,
    retention_boundary_digest bytea NOT NULL CHECK (octet_length(retention_boundary_digest) = 32),
    retention_boundary_at timestamptz NOT NULL,
    retention_boundary_signature text NOT NULL,
    checkpoint_seq bigint NOT NULL,
    checkpoint_digest bytea NOT NULL CHECK (octet_length(checkpoint_digest) = 32),
    checkpoint_at timestamptz NOT NULL,
    checkpoint_signature text NOT NULL
);

-- Deleted accounts whose personal data is still in their events.
CREATE TABLE erasures (
    user_id uuid PRIMARY KEY,
    requested_at timestamptz NOT NULL
);

CREATE INDEX erasures_requested_at_user_id_idx ON erasures (requested_at, user_id);

-- Protects against mistakes; the chain protects against an attacker. An event gets its sequence
-- number once, may lose its personal data, and can be deleted only after it is in the chain.
CREATE FUNCTION forbid_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'events cannot be truncated';
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF OLD.seq IS NOT NULL THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'an event that is not in the chain yet cannot be deleted';
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
        RAISE EXCEPTION 'an event cannot be changed';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER events_forbid_change BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION forbid_event_change();

CREATE TRIGGER events_forbid_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_event_change();
