-- A key that is kept in 'passphrase' lies here itself, wrapped under what Argon2id makes of the
-- passphrase: JSON with the parameters, the salt and the sealed key. NULL for the keychain's.
ALTER TABLE secret_key ADD COLUMN wrap TEXT;
