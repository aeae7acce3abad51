-- How triggers stand, and what came of what they told.

-- The run that an event started.
ALTER TABLE trigger_event ADD COLUMN run INTEGER;
CREATE INDEX trigger_event_flow ON trigger_event (flow, seq);

-- What is said of a trigger and what happens to it are written by different hands at different
-- times, so each has its own row. Nothing wrote the table that both shared.
DROP TABLE trigger_state;
CREATE TABLE trigger_state (
  flow    INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  -- The person stopped it, and nothing else of its flow.
  paused  INTEGER NOT NULL DEFAULT 0,
  -- It owes nothing of the time before: it was paused, switched off or another one.
  since   INTEGER NOT NULL,
  PRIMARY KEY (flow, trigger)
) STRICT, WITHOUT ROWID;

-- Counted in memory and replaced whole now and then.
CREATE TABLE trigger_tally (
  flow     INTEGER NOT NULL,
  trigger  TEXT NOT NULL,
  -- How often it started a run, and when last.
  fired    INTEGER NOT NULL,
  fired_at INTEGER,
  -- How often it should have and did not.
  missed   INTEGER NOT NULL,
  -- Why it last did not, and when that was.
  error    TEXT,
  error_at INTEGER,
  PRIMARY KEY (flow, trigger)
) STRICT, WITHOUT ROWID;
