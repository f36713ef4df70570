-- What every node must apply to its cache. Transactions do not commit in the order in which they
-- write, so each row names its transaction: a reader compares it with its snapshot to know which
-- rows it has not seen yet.
CREATE TABLE news (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    kind text COLLATE "C" NOT NULL,
    -- The identifier of a session, user, key or role, as text. The kind says which.
    subject text COLLATE "C",
    cut_off timestamptz,
    reason text COLLATE "C",
    happened_at timestamptz NOT NULL,
    matters_until timestamptz NOT NULL
);

CREATE INDEX news_xid_seq_idx ON news (xid, seq);
CREATE INDEX news_matters_until_idx ON news (matters_until);

-- Postgres delivers the notification when the transaction commits.
CREATE FUNCTION notify_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gateward_news', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER news_notify AFTER INSERT ON news
    FOR EACH STATEMENT EXECUTE FUNCTION notify_news();
