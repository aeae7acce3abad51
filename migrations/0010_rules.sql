-- What the person wants done with items that match a query. Tried in the order of `position` on
-- every item that a source brings or changes.
CREATE TABLE rule (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  query      TEXT NOT NULL,
  -- Operations as JSON, such as [{"kind":"done"}].
  operations TEXT NOT NULL,
  -- As people write it, read anew each time: `2d`, `until new activity`.
  snooze     TEXT,
  enabled    INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  -- Items that it changed, and when last.
  applied    INTEGER NOT NULL DEFAULT 0,
  applied_at INTEGER
) STRICT, WITHOUT ROWID;

-- What most people ask for first. They can be changed, switched off and deleted like any other.
INSERT INTO rule (id, name, query, operations, enabled, position) VALUES
  ('shipped-ended', 'Done when merged or closed',
   'is:inbox state:merged,closed -reason:mention,team_mention',
   '[{"kind":"done"}]', 1, 1),
  ('shipped-checks', 'Done when failed checks pass again',
   'is:inbox type:check,build state:passed,success,closed',
   '[{"kind":"done"}]', 1, 2),
  ('shipped-bots', 'Bots are read and of low priority',
   'is:inbox is:unread -is:actionable author:dependabot,"dependabot[bot]",renovate,"renovate[bot]",github-actions,"github-actions[bot]",codecov,"codecov[bot]",mergify,"mergify[bot]",netlify,vercel,"vercel[bot]",sonarcloud',
   '[{"kind":"read"},{"kind":"setPriority","priority":"low"}]', 1, 3);
