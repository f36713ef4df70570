-- What all nodes must learn. Transactions are committed in another order than they write, so a row
-- tells which one wrote it: readers know from a snapshot which ones they have not seen yet.
CREATE TABLE news (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    kind text COLLATE "C" NOT NULL,
    -- Whom or what it is about, as text: each kind has its own.
    subject text COLLATE "C",
    cut_off timestamptz,
    reason text COLLATE "C",
    happened_at timestamptz NOT NULL,
    matters_until timestamptz NOT NULL
);

CREATE INDEX news_in_order ON news (xid, seq);
CREATE INDEX news_to_sweep ON news (matters_until);

-- Whoever listens is woken by the commit.
CREATE FUNCTION tell_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gateward_news', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER news_are_told AFTER INSERT ON news
    FOR EACH STATEMENT EXECUTE FUNCTION tell_news();

-- What a key has signed is ended with it. A refresh writes this column, but the same value as a
-- rule, so that the row stays on its page.
CREATE INDEX sessions_of_key ON sessions (key_id) WHERE ended_at IS NULL;

ALTER TABLE keys ADD COLUMN revoked_at timestamptz;
