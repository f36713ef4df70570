-- The audit trail. A transaction inserts its events without seq and digest. A background job appends
-- them to the hash chain later, one transaction at a time, so that the chain has one order.
CREATE TABLE events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    happened_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    actor TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    -- No foreign keys: an event outlives its user and session.
    user_id BLOB CHECK (length(user_id) = 16),
    session_id BLOB CHECK (length(session_id) = 16),
    -- Personal data. An erasure clears it together with the salt.
    ip TEXT,
    actor_session_id BLOB CHECK (length(actor_session_id) = 16),
    detail TEXT,
    salt BLOB CHECK (length(salt) = 16),
    -- The salted hash of the IP address. The chain covers this instead of the address, so an erasure
    -- does not break the chain.
    commitment BLOB CHECK (length(commitment) = 32),
    seq INTEGER CHECK (seq >= 1),
    digest BLOB CHECK (length(digest) = 32),
    signature TEXT,
    CHECK ((seq IS NULL) = (digest IS NULL)),
    CHECK (signature IS NULL OR seq IS NOT NULL)
) STRICT;

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
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    retention_boundary_seq INTEGER NOT NULL,
    retention_boundary_digest BLOB NOT NULL CHECK (length(retention_boundary_digest) = 32),
    retention_boundary_at INTEGER NOT NULL,
    retention_boundary_signature TEXT NOT NULL,
    checkpoint_seq INTEGER NOT NULL,
    checkpoint_digest BLOB NOT NULL CHECK (length(checkpoint_digest) = 32),
    checkpoint_at INTEGER NOT NULL,
    checkpoint_signature TEXT NOT NULL
) STRICT;

-- Deleted accounts whose personal data is still in their events.
CREATE TABLE erasures (
    user_id BLOB NOT NULL PRIMARY KEY CHECK (length(user_id) = 16),
    requested_at INTEGER NOT NULL
) STRICT;

CREATE INDEX erasures_requested_at_user_id_idx ON erasures (requested_at, user_id);

-- Protects against mistakes; the chain protects against an attacker. An event gets its sequence
-- number once, may lose its personal data, and can be deleted only after it is in the chain.
CREATE TRIGGER events_forbid_update BEFORE UPDATE ON events
WHEN
    NEW.id IS NOT OLD.id
    OR NEW.happened_at IS NOT OLD.happened_at
    OR NEW.kind IS NOT OLD.kind
    OR NEW.reason IS NOT OLD.reason
    OR NEW.actor IS NOT OLD.actor
    OR NEW.actor_id IS NOT OLD.actor_id
    OR NEW.user_id IS NOT OLD.user_id
    OR NEW.session_id IS NOT OLD.session_id
    OR NEW.actor_session_id IS NOT OLD.actor_session_id
    OR NEW.detail IS NOT OLD.detail
    OR NEW.commitment IS NOT OLD.commitment
    OR (OLD.seq IS NOT NULL AND (
        NEW.seq IS NOT OLD.seq
        OR NEW.digest IS NOT OLD.digest
        OR NEW.signature IS NOT OLD.signature
    ))
    OR (NEW.ip IS NOT NULL AND NEW.ip IS NOT OLD.ip)
    OR (NEW.salt IS NOT NULL AND NEW.salt IS NOT OLD.salt)
BEGIN
    SELECT RAISE(ABORT, 'an event cannot be changed');
END;

CREATE TRIGGER events_forbid_delete BEFORE DELETE ON events
WHEN OLD.seq IS NULL
BEGIN
    SELECT RAISE(ABORT, 'an event that is not in the chain yet cannot be deleted');
END;
