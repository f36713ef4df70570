ALTER TABLE keys DROP COLUMN revoked_at;
DROP INDEX sessions_of_key;
DROP TABLE news;
