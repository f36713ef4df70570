DROP TRIGGER events_are_not_truncated ON events;
DROP TRIGGER events_are_kept ON events;
DROP FUNCTION keep_event;
DROP TABLE erasures;
DROP TABLE audit_chain;
DROP INDEX events_of_kind;
DROP INDEX events_of_actor;
DROP INDEX events_to_seal;
DROP INDEX events_seq_key;
ALTER TABLE events
DROP COLUMN signature,
DROP COLUMN digest,
DROP COLUMN seq,
DROP COLUMN commitment,
DROP COLUMN salt,
DROP COLUMN detail,
DROP COLUMN actor_session_id;
