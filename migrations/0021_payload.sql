-- Large values of runs: each lies here once, by the SHA-256 of its JSON, and journals point to it.

CREATE TABLE payload (
  hash  TEXT PRIMARY KEY,
  -- Of the JSON, in bytes.
  size  INTEGER NOT NULL,
  -- Whether all of its parts are there.
  whole INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The JSON, compressed with zstd, in parts that hold up nobody who writes meanwhile.
CREATE TABLE payload_part (
  hash  TEXT NOT NULL,
  part  INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (hash, part)
) STRICT;

-- Who points to it: a run by its number, an event by its number with a minus. What nobody points to
-- any more is deleted.
CREATE TABLE payload_use (
  holder INTEGER NOT NULL,
  hash   TEXT NOT NULL,
  PRIMARY KEY (holder, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX payload_user ON payload_use (hash);

-- Where the payload of an event lies that is large: then `payload` is the beginning of it.
ALTER TABLE trigger_event ADD COLUMN stored TEXT;
