-- Secrets are stored encrypted; the key that opens them is kept elsewhere, by its id.

CREATE TABLE secret_key (
  id         TEXT PRIMARY KEY,
  -- Where the key itself is: 'keychain'.
  kept_in    TEXT NOT NULL,
  -- A known text under the key, which tells a wrong key before anything is written with it.
  nonce      BLOB NOT NULL,
  proof      BLOB NOT NULL,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
  scope      TEXT NOT NULL,
  name       TEXT NOT NULL,
  key_id     TEXT NOT NULL REFERENCES secret_key (id),
  nonce      BLOB NOT NULL,
  ciphertext BLOB NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;
