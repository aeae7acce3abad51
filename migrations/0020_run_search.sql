-- How runs are found among a million: each index leads to one thing that people ask for, in the
-- order of the list, and has beside it what is asked together with it, so that no row is read that
-- is not wanted.

-- The type of the trigger, such as `webhook`.
ALTER TABLE run ADD COLUMN trigger_type TEXT NOT NULL DEFAULT 'manual';

DROP INDEX run_flow;
DROP INDEX run_status;
CREATE INDEX run_queued ON run (queued_at, seq);
CREATE INDEX run_flow ON run (flow, queued_at, seq, status, kind, trigger_type);
CREATE INDEX run_trigger ON run (trigger_type, queued_at, seq, flow, status, kind);
-- Most runs are completed, and most were started by a trigger: those are met wherever one looks.
CREATE INDEX run_status ON run (status, queued_at, seq, flow, kind, trigger_type)
  WHERE status <> 'completed';
CREATE INDEX run_kind ON run (kind, queued_at, seq, flow, status, trigger_type)
  WHERE kind <> 'live';
-- Whether the event of a run that is deleted started another one.
CREATE INDEX run_event ON run (event);

-- The words of errors, by the number of the run. Nothing is written for a run that has none.
CREATE VIRTUAL TABLE run_error USING fts5 (
  error, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
