-- Emails that wait to be sent, and those that were sent or given up recently.
CREATE TABLE outbox_emails (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL CHECK (recipient <> ''),
    -- No foreign keys: an email outlives its user, sign-up and link.
    user_id BLOB CHECK (length(user_id) = 16),
    signup_id BLOB CHECK (length(signup_id) = 16),
    link_id BLOB CHECK (length(link_id) = 16),
    -- When the triggering event happened, and from which IP address.
    created_at INTEGER NOT NULL,
    ip TEXT,
    -- Unique, so that a recipient gets one email of a kind per interval. NULL if there is no limit.
    slot TEXT,
    scheduled_at INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    -- next_attempt_at before a worker last claimed the row. RETURNING gives neither an order nor old
    -- values, so claimed rows are sorted by this.
    previous_attempt_due_at INTEGER,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    state TEXT NOT NULL,
    finished_at INTEGER,
    failure TEXT,
    -- Lets queries say finished_at IS NULL instead of binding a state, which a partial index needs.
    CHECK ((state = 'waiting') = (finished_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX outbox_emails_slot_key ON outbox_emails (slot);
CREATE INDEX outbox_emails_next_attempt_at_id_idx ON outbox_emails (next_attempt_at, id) WHERE finished_at IS NULL;
CREATE INDEX outbox_emails_user_id_id_idx ON outbox_emails (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX outbox_emails_state_finished_at_idx ON outbox_emails (state, finished_at);
