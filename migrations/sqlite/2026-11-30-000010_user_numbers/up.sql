-- Numbers of accounts, for services whose user table has integer keys. A number is assigned when it
-- is first needed, and never again to another account: AUTOINCREMENT does not go back.
CREATE TABLE user_numbers (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT CHECK (number > 0),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT;

CREATE UNIQUE INDEX user_numbers_user_id_key ON user_numbers (user_id);
