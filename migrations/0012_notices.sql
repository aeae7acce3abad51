-- What the person is told of outside the window: once for each new activity of an item.
CREATE TABLE notice (
  item     INTEGER PRIMARY KEY REFERENCES item (no) ON DELETE CASCADE,
  -- The item's place in the order when it was asked for, which grows with its activity.
  position INTEGER NOT NULL,
  -- The split or rule that asked.
  because  TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  shown    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notice_due ON notice (asked_at) WHERE shown = 0;

ALTER TABLE rule ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;
