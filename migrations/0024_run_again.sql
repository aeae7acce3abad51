-- An event names the run that it started. Only runs that were begun again of an event that is
-- another's are looked for by it, so only those are in an index.

ALTER TABLE run ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
UPDATE run SET again = 1
  WHERE seq IS NOT (SELECT run FROM trigger_event WHERE trigger_event.seq = run.event);
DROP INDEX run_event;
CREATE INDEX run_again ON run (event) WHERE again = 1;
