-- What the person allowed a flow to touch.
CREATE TABLE flow_permission (
  flow       INTEGER NOT NULL REFERENCES flow (seq) ON DELETE CASCADE,
  permission TEXT NOT NULL,
  allowed_at TEXT NOT NULL,
  PRIMARY KEY (flow, permission)
) STRICT, WITHOUT ROWID;

-- Where a trigger is, as JSON of its own type. Written with the event that it led to, and so replaced
-- whole.
CREATE TABLE trigger_cursor (
  flow    INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  cursor  TEXT NOT NULL,
  PRIMARY KEY (flow, trigger)
) STRICT, WITHOUT ROWID;

-- What the person should know of a trigger. It outlives restarts, and new versions of the flow.
CREATE TABLE trigger_state (
  flow     INTEGER NOT NULL,
  trigger  TEXT NOT NULL,
  -- The person stopped it, and nothing else of its flow.
  paused   INTEGER NOT NULL DEFAULT 0,
  -- How often it fired, and when last (milliseconds since 1970).
  fired    INTEGER NOT NULL DEFAULT 0,
  fired_at INTEGER,
  -- Why it last did not fire, and since when.
  error    TEXT,
  error_at INTEGER,
  PRIMARY KEY (flow, trigger)
) STRICT, WITHOUT ROWID;
