-- One job sends an account's actions in their order, where each had its own. What waits is queued
-- anew at the next start.
UPDATE job SET status = 'cancelled'
  WHERE kind = 'outbox.send' AND status IN ('pending', 'waiting', 'running');
ALTER TABLE outbox DROP COLUMN job;
ALTER TABLE outbox ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
-- The service asked for the wait until `due_at`, which nothing but the person shortens.
ALTER TABLE outbox ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
-- The action that takes this one back, as its plugin declares, and whether it is idempotent.
ALTER TABLE outbox ADD COLUMN reverse TEXT;
-- The row that this one takes back.
ALTER TABLE outbox ADD COLUMN reverses INTEGER;
