-- What belongs to the store itself: the change feed, its durable readers, settings, the audit log.

CREATE TABLE change (
  seq    INTEGER PRIMARY KEY,
  tbl    TEXT NOT NULL,
  row_id TEXT NOT NULL,
  kind   TEXT NOT NULL,
  actor  TEXT NOT NULL,
  cause  TEXT,
  depth  INTEGER NOT NULL,
  at     TEXT NOT NULL
) STRICT;

CREATE TABLE subscriber (
  name   TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY,
  at      TEXT NOT NULL,
  actor   TEXT NOT NULL,
  subject TEXT NOT NULL,
  rule    TEXT NOT NULL,
  action  TEXT NOT NULL,
  verdict TEXT NOT NULL,
  detail  TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX audit_subject ON audit (subject, seq);
