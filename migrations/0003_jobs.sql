-- The durable queue. A job that is due is `pending`, one with a later time `waiting`, so that a
-- claim reads exactly the rows that it takes.

CREATE TABLE job (
  seq         INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  payload     TEXT NOT NULL,
  dedup       TEXT,
  status      TEXT NOT NULL,
  priority    INTEGER NOT NULL,
  run_at      TEXT NOT NULL,
  -- Attempts ever made, and the number at which the job gives up: a retry by hand raises it.
  attempts    INTEGER NOT NULL DEFAULT 0,
  gives_up_at INTEGER NOT NULL,
  -- NULL is the default policy.
  policy      TEXT,
  result      TEXT,
  created_at  TEXT NOT NULL,
  started_at  TEXT,
  finished_at TEXT
) STRICT;
CREATE INDEX job_claim ON job (kind, priority DESC, seq) WHERE status = 'pending';
CREATE INDEX job_due ON job (run_at) WHERE status = 'waiting';
CREATE INDEX job_status ON job (status, seq);
CREATE UNIQUE INDEX job_dedup ON job (dedup)
  WHERE dedup IS NOT NULL AND status IN ('pending', 'waiting', 'running');

-- Attempts that did not end well; a success is in the job's own row.
CREATE TABLE job_attempt (
  job        INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  attempt    INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  ended_at   TEXT NOT NULL,
  error      TEXT NOT NULL,
  PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;
