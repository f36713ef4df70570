-- Emails that wait to be sent, and those that were sent or given up recently.
CREATE TABLE outbox_emails (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    recipient text COLLATE "C" NOT NULL CHECK (recipient <> ''),
    -- No foreign keys: an email outlives its user, sign-up and link.
    user_id uuid,
    signup_id uuid,
    link_id uuid,
    -- When the triggering event happened, and from which IP address.
    created_at timestamptz NOT NULL,
    ip text,
    -- Unique, so that a recipient gets one email of a kind per interval. NULL if there is no limit.
    slot text COLLATE "C",
    scheduled_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    -- next_attempt_at before a worker last claimed the row. RETURNING gives neither an order nor old
    -- values, so claimed rows are sorted by this.
    previous_attempt_due_at timestamptz,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    state text COLLATE "C" NOT NULL,
    finished_at timestamptz,
    failure text,
    -- Lets queries say finished_at IS NULL instead of binding a state, which a partial index needs.
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);

CREATE UNIQUE INDEX outbox_emails_slot_key ON outbox_emails (slot);
CREATE INDEX outbox_emails_next_attempt_at_id_idx ON outbox_emails (next_attempt_at, id) WHERE finished_at IS NULL;
CREATE INDEX outbox_emails_user_id_id_idx ON outbox_emails (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX outbox_emails_state_finished_at_idx ON outbox_emails (state, finished_at);
