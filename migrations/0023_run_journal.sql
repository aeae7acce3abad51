-- Runs end in another order than they began, so a table in the order of runs grew in many places
-- with each commit. What they tell is written at the end of it, and found by an index.

CREATE TABLE run_told (
  run     INTEGER NOT NULL,
  part    INTEGER NOT NULL,
  entries TEXT NOT NULL
) STRICT;
INSERT INTO run_told (run, part, entries)
  SELECT run, part, entries FROM run_journal ORDER BY run, part;
DROP TABLE run_journal;
ALTER TABLE run_told RENAME TO run_journal;
CREATE UNIQUE INDEX run_journal_run ON run_journal (run, part);
