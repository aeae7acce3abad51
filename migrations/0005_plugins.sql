-- Plugins as they are installed, the accounts that they are used through, and what hangs on an
-- account: grants, sync state, the plugin's own storage, its log.

CREATE TABLE plugin (
  name         TEXT PRIMARY KEY,
  version      TEXT NOT NULL,
  -- bundled, or installed: then `files` holds the SHA-256 of each file, checked at each start.
  source       TEXT NOT NULL,
  files        TEXT NOT NULL DEFAULT '{}',
  enabled      INTEGER NOT NULL DEFAULT 1,
  -- Why it is not started any more; NULL unless quarantined.
  quarantine   TEXT,
  installed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Stays when the plugin is uninstalled and its items are kept, so that a new install goes on with
-- them.
CREATE TABLE account (
  id         TEXT PRIMARY KEY,
  plugin     TEXT NOT NULL,
  name       TEXT NOT NULL,
  settings   TEXT NOT NULL DEFAULT '{}',
  created_at TEXT NOT NULL,
  UNIQUE (plugin, name)
) STRICT, WITHOUT ROWID;

-- As the manifest writes the permission: `{settings.x}` is filled in at each check.
CREATE TABLE "grant" (
  account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  permission TEXT NOT NULL,
  granted_at TEXT NOT NULL,
  PRIMARY KEY (account, permission)
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_state (
  account      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  source       TEXT NOT NULL,
  -- Committed after the items that it covers.
  cursor       TEXT,
  -- The source has caught up once.
  backfilled   INTEGER NOT NULL DEFAULT 0,
  enabled      INTEGER NOT NULL DEFAULT 1,
  -- The person's own interval; NULL is the manifest's.
  interval_ms  INTEGER,
  next_at      TEXT NOT NULL,
  failures     INTEGER NOT NULL DEFAULT 0,
  error        TEXT,
  -- What only the person can give; NULL while nothing is missing.
  waiting      TEXT,
  last_sync_at TEXT,
  items_synced INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE plugin_storage (
  account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

-- Bytes that an account's storage holds, so that the quota is not counted anew at each write.
CREATE TABLE plugin_storage_size (
  account TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  bytes   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plugin_log (
  seq     INTEGER PRIMARY KEY,
  at      TEXT NOT NULL,
  plugin  TEXT NOT NULL,
  account TEXT NOT NULL,
  level   TEXT NOT NULL,
  message TEXT NOT NULL,
  meta    TEXT
) STRICT;
CREATE INDEX plugin_log_plugin ON plugin_log (plugin, seq);
CREATE INDEX plugin_log_account ON plugin_log (account, seq);
