-- Flows, what starts them, and their runs.

CREATE TABLE flow (
  -- Rows by the million name a flow by this, also after it is gone: it is not given again.
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  folder     TEXT,
  tags       TEXT NOT NULL,
  -- Whether its triggers fire.
  enabled    INTEGER NOT NULL DEFAULT 0,
  -- The newest version, and the one that triggers run; NULL before the first is published.
  latest     INTEGER NOT NULL,
  live       INTEGER,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

-- Never changed: a run keeps the version that it began with.
CREATE TABLE flow_version (
  flow       INTEGER NOT NULL REFERENCES flow (seq) ON DELETE CASCADE,
  version    INTEGER NOT NULL,
  definition TEXT NOT NULL,
  summary    TEXT NOT NULL,
  actor      TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (flow, version)
) STRICT, WITHOUT ROWID;

-- Times in the tables below are milliseconds since 1970, as their rows are many.

-- What a trigger told of. `key` names the same thing twice told; `verdict` is what became of it.
CREATE TABLE trigger_event (
  seq     INTEGER PRIMARY KEY,
  flow    INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  key     TEXT,
  at      INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  payload TEXT NOT NULL
) STRICT;
CREATE INDEX trigger_event_key ON trigger_event (flow, trigger, key, at) WHERE key IS NOT NULL;

-- A run is its own job: what has not ended is the queue. Rows are replaced whole, so nothing may
-- hang on them by a foreign key.
CREATE TABLE run (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL,
  flow       INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  event      INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  -- The run and node that called this one as a sub-flow.
  parent     TEXT,
  status     TEXT NOT NULL,
  priority   INTEGER NOT NULL,
  -- Automatic steps since a person or a source acted (see the change feed).
  depth      INTEGER NOT NULL,
  queued_at  INTEGER NOT NULL,
  started_at INTEGER,
  ended_at   INTEGER,
  -- When a waiting one goes on by itself.
  wake_at    INTEGER,
  error      TEXT
) STRICT;
CREATE UNIQUE INDEX run_id ON run (id);
CREATE INDEX run_flow ON run (flow, seq);
CREATE INDEX run_status ON run (status, seq) WHERE status <> 'completed';

-- What happened in a run, in the order it happened, several entries to a row.
CREATE TABLE run_journal (
  run     INTEGER NOT NULL,
  part    INTEGER NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (run, part)
) STRICT, WITHOUT ROWID;
