-- Files of the watched folder, and where each and its flow last were the same.
CREATE TABLE flow_file (
  -- From the root on.
  path    TEXT PRIMARY KEY,
  flow    TEXT,
  -- The version, and the digest of the file's text, when both were the same.
  version INTEGER,
  digest  TEXT,
  -- The digest of the text that was last looked at, right or wrong.
  seen    TEXT,
  state   TEXT NOT NULL,
  -- What a person should know of it, as a JSON list.
  told    TEXT NOT NULL DEFAULT '[]',
  at      TEXT NOT NULL
) STRICT;
CREATE INDEX flow_file_flow ON flow_file (flow) WHERE flow IS NOT NULL;
