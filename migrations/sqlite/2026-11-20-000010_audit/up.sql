-- The events become the entries of a chain. An event is written without a place in it; whoever seals
-- gives places later, in one transaction at a time.
ALTER TABLE events ADD COLUMN actor_session_id BLOB CHECK (length(actor_session_id) = 16);
ALTER TABLE events ADD COLUMN detail TEXT;
ALTER TABLE events ADD COLUMN salt BLOB CHECK (length(salt) = 16);
-- Lacking in events that the versions before have written.
ALTER TABLE events ADD COLUMN commitment BLOB CHECK (length(commitment) = 32);
ALTER TABLE events ADD COLUMN seq INTEGER CHECK (seq >= 1);
ALTER TABLE events ADD COLUMN digest BLOB
CHECK (length(digest) = 32) CHECK ((seq IS NULL) = (digest IS NULL));
ALTER TABLE events ADD COLUMN signature TEXT CHECK (signature IS NULL OR seq IS NOT NULL);

CREATE UNIQUE INDEX events_seq_key ON events (seq) WHERE seq IS NOT NULL;
CREATE INDEX events_to_seal ON events (id) WHERE seq IS NULL;
CREATE INDEX events_of_actor ON events (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX events_of_kind ON events (kind, id);

-- Both ends of the chain: one row, which is also the lock of whoever seals.
CREATE TABLE audit_chain (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    floor_seq INTEGER NOT NULL,
    floor_digest BLOB NOT NULL CHECK (length(floor_digest) = 32),
    floor_at INTEGER NOT NULL,
    floor_signature TEXT NOT NULL,
    tip_seq INTEGER NOT NULL,
    tip_digest BLOB NOT NULL CHECK (length(tip_digest) = 32),
    tip_at INTEGER NOT NULL,
    tip_signature TEXT NOT NULL
) STRICT;

-- Accounts that are gone, and whose events are yet to lose what tells of a person.
CREATE TABLE erasures (
    user_id BLOB NOT NULL PRIMARY KEY CHECK (length(user_id) = 16),
    requested_at INTEGER NOT NULL
) STRICT;

CREATE INDEX erasures_in_order ON erasures (requested_at, user_id);

-- Also those that were deleted before there was this table.
INSERT INTO erasures (user_id, requested_at)
SELECT user_id, max(happened_at) FROM events
WHERE kind = 'account_deleted' AND user_id IS NOT NULL
GROUP BY user_id;

-- What was written down stays. An event gets its place once, may lose its personal part, and goes
-- with the end of the chain alone.
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
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
    SELECT RAISE(ABORT, 'an event is not changed');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
WHEN OLD.seq IS NULL
BEGIN
    SELECT RAISE(ABORT, 'an event without a place in the chain is not deleted');
END;
