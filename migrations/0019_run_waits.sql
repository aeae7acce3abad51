-- Nobody waits for a detached one, and so nobody cancels it with themselves.
ALTER TABLE run ADD COLUMN detached INTEGER NOT NULL DEFAULT 0;
-- The failed run whose work this one goes on with.
ALTER TABLE run ADD COLUMN retry_of TEXT;
CREATE INDEX run_parent ON run (parent) WHERE parent IS NOT NULL;

-- What nodes wait for that comes from elsewhere: a request, a person, the end of another run.
CREATE TABLE run_wait (
  run         TEXT NOT NULL,
  -- Its path; empty for a request that came before any node waited.
  node        TEXT NOT NULL,
  kind        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  until       INTEGER,
  -- What a person is asked, and who.
  message     TEXT,
  who         TEXT,
  -- Both at once; without an answer, the time was over, or it was given on to another node.
  answered_at INTEGER,
  answer      TEXT,
  -- It came since the run was last looked at.
  fresh       INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_wait_open ON run_wait (kind, at) WHERE answered_at IS NULL;
CREATE INDEX run_wait_fresh ON run_wait (run) WHERE fresh = 1;

-- What the addresses are signed with at which runs are resumed. One row.
CREATE TABLE flow_key (
  id  INTEGER PRIMARY KEY CHECK (id = 1),
  key BLOB NOT NULL
) STRICT;
