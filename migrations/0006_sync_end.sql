-- When the last run of a source ended, well or not.
ALTER TABLE sync_state ADD COLUMN ended_at TEXT;
