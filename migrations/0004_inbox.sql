-- The unified inbox: items, what the person did with them, full text, operations, the outbox.
-- Times in tables that are scanned by the million are integer milliseconds; elsewhere they are text.

-- An account as items refer to it: a small number instead of its id and plugin on every row.
CREATE TABLE inbox_source (
  no      INTEGER PRIMARY KEY,
  account TEXT NOT NULL UNIQUE,
  plugin  TEXT NOT NULL
) STRICT;

-- What the source says, and the person's labels and priority, which rarely change. `no` never
-- changes. The body comes last, so that reading a row for the list does not touch its overflow.
CREATE TABLE item (
  no                INTEGER PRIMARY KEY,
  id                TEXT NOT NULL UNIQUE,
  source            INTEGER NOT NULL REFERENCES inbox_source (no),
  external_id       TEXT NOT NULL,
  position          INTEGER NOT NULL,
  hash              INTEGER NOT NULL,
  kind              TEXT NOT NULL,
  title             TEXT NOT NULL,
  preview           TEXT NOT NULL,
  source_url        TEXT,
  thread_key        TEXT,
  actor             TEXT,
  repo              TEXT,
  reason            TEXT,
  labels            TEXT,
  priority          INTEGER,
  state             TEXT,
  actionable        INTEGER NOT NULL,
  own_labels        TEXT,
  own_priority      INTEGER,
  source_created_at INTEGER,
  source_updated_at INTEGER,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  metadata          TEXT,
  body              TEXT NOT NULL,
  UNIQUE (source, external_id)
) STRICT;

-- The order of the list and the person's side: small rows, so that scans stay in the cache.
-- position = activity in milliseconds << 20 | the low bits of `no`: newest first is a walk
-- backwards over the row ids, here and in the full text.
-- state = bits: 1 read, 2 done, 4 snoozed, 8 muted, 16 starred; derived from the times beside it,
-- but for muted, which is only here.
CREATE TABLE triage (
  position      INTEGER PRIMARY KEY,
  no            INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  state         INTEGER NOT NULL,
  read_at       INTEGER,
  done_at       INTEGER,
  snoozed_until INTEGER,
  starred_at    INTEGER
) STRICT;
-- One ordered list for each combination of states: every predicate on them is a union of lists.
CREATE INDEX triage_state ON triage (state);
CREATE INDEX triage_wake ON triage (snoozed_until) WHERE snoozed_until IS NOT NULL;

-- How many items each list holds, kept with every write: the sidebar's numbers, and what a query
-- plan goes by.
CREATE TABLE inbox_count (
  source INTEGER NOT NULL,
  state  INTEGER NOT NULL,
  items  INTEGER NOT NULL,
  PRIMARY KEY (source, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE muted_thread (
  source     INTEGER NOT NULL,
  thread_key TEXT NOT NULL,
  PRIMARY KEY (source, thread_key)
) STRICT, WITHOUT ROWID;

-- Tokens are made in Rust (`tokens.rs`), the same for items and queries: the tokenizer here only
-- splits at spaces. `title` also holds terms such as `=repo:acme/api`, so that any combination of
-- words and attributes is one intersection of lists ordered by position.
CREATE VIRTUAL TABLE item_text USING fts5 (
  title, body,
  content = '', contentless_delete = 1,
  tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[]^_{|}~'"
);
-- A bulk import adds one segment for 10,000 items; the engine's upkeep merges them when idle.
INSERT INTO item_text (item_text, rank) VALUES ('hashsize', 33554432);
INSERT INTO item_text (item_text, rank) VALUES ('automerge', 16);
INSERT INTO item_text (item_text, rank) VALUES ('crisismerge', 64);

-- What the person, a rule or a source's action did. `detail` is the kind with its values as JSON.
CREATE TABLE operation (
  no        INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  detail    TEXT NOT NULL,
  label     TEXT NOT NULL,
  actor     TEXT NOT NULL,
  cause     TEXT,
  at        INTEGER NOT NULL,
  items     INTEGER NOT NULL,
  -- When it was undone, as a rising number: redo takes the highest. A new operation sets all of
  -- them negative: undone for good.
  undone    INTEGER,
  undoable  INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_undone ON operation (undone) WHERE undone > 0;
CREATE INDEX operation_open ON operation (no)
  WHERE undone IS NULL AND undoable = 1 AND actor = 'person';

-- Each item's side before the operation, only what the operation touched; what came after follows
-- from the operation. `position` tells whether the source has shown newer activity since.
CREATE TABLE operation_item (
  operation INTEGER NOT NULL REFERENCES operation (no) ON DELETE CASCADE,
  item      INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  before    TEXT NOT NULL,
  PRIMARY KEY (operation, item)
) STRICT, WITHOUT ROWID;

-- Actions towards a source, until it confirms them.
CREATE TABLE outbox (
  no              INTEGER PRIMARY KEY,
  id              TEXT NOT NULL UNIQUE,
  operation       INTEGER NOT NULL REFERENCES operation (no),
  account         TEXT NOT NULL,
  item            INTEGER,
  action          TEXT NOT NULL,
  input           TEXT NOT NULL,
  idempotent      INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL UNIQUE,
  state           TEXT NOT NULL,
  job             TEXT,
  output          TEXT,
  error           TEXT,
  due_at          INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_open ON outbox (account, no) WHERE state NOT IN ('sent', 'cancelled');
CREATE INDEX outbox_operation ON outbox (operation);
CREATE INDEX outbox_item ON outbox (item) WHERE state NOT IN ('sent', 'cancelled');
