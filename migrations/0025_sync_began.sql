-- When the last run of a source that ended had begun; none where it is to run again at once. Who
-- asked for a sync waits for a run that began after that.
ALTER TABLE sync_state ADD COLUMN began_at TEXT;
