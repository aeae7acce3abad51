import type { Item, ItemSummary, PluginInfo, SyncStatus } from '../wire';

/** "Now" in the made-up world, so that pictures do not change from day to day. */
export const NOW = Date.parse('2026-03-12T09:30:00.000Z');
const HOUR = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

export const GIT = 'acc_git';
export const BUILDS = 'acc_builds';

type Seed = {
  title: string;
  type: string;
  repo: string;
  preview: string;
  body?: string;
  hours: number;
  read?: boolean;
  starred?: boolean;
  snoozedHours?: number;
  done?: boolean;
  labels?: string[];
  own?: string[];
  state?: string;
  reason?: string;
  actor?: string;
  priority?: ItemSummary['priority'];
  outbox?: string;
  account?: string;
};

const SEEDS: Seed[] = [
  {
    title: 'Rebase stopped: 3 files conflict on feature/keyset-paging',
    type: 'conflict',
    repo: 'ledger',
    preview: 'Step 4 of 11, onto main. src/page.rs, src/cursor.rs and 1 more need a decision.',
    hours: 0.4,
    state: 'conflict',
    reason: 'unfinished',
    priority: 'urgent',
    body: 'A rebase of **feature/keyset-paging** onto `main` stopped at step 4 of 11.\n\n| File | Kind |\n|---|---|\n| `src/page.rs` | both modified |\n| `src/cursor.rs` | both modified |\n| `tests/paging.rs` | deleted by us |\n\nContinue after resolving:\n\n```sh\ngit add -A\ngit rebase --continue\n```\n\nor go back with `git rebase --abort`. See [the notes](https://example.com/rebase).\n\n![graph](https://example.com/graph.png)',
  },
  {
    title: 'main is 7 commits behind origin/main',
    type: 'branch',
    repo: 'atlas-api',
    preview: 'Newest there: "Reject tokens without an audience" by Noor, 40 minutes ago.',
    hours: 0.9,
    state: 'behind',
    reason: 'behind_upstream',
    actor: 'Noor',
    body: '`main` can be moved forward without a merge.\n\n- `4c1f09e` Reject tokens without an audience\n- `91ab320` Name the tenant in every log line\n- `e0c4d71` Batch the address look-ups\n- 4 more\n\n```rust\n/// Rejects tokens without an audience.\nfn check(token: &Token) -> Result<(), Error> {\n    match token.audience { Some(_) => Ok(()), None => Err(Error::new(401, "no audience")) }\n}\n```\n\n```diff\n@@ -12,2 +12,2 @@ fn main()\n-    let limit = 50;\n+    let limit = 100;\n```\n\n```yaml\n# every night\nschedule: "0 3 * * *"\nretries: 2\nnotify: true\n```',
  },
  {
    title: 'fix/retry-jitter: 2 commits not pushed',
    type: 'branch',
    repo: 'courier',
    preview: 'Ahead of origin/fix/retry-jitter since yesterday evening.',
    hours: 14,
    state: 'ahead',
    reason: 'ahead_of_upstream',
    starred: true,
    own: ['this week'],
  },
  {
    title: 'Uncommitted work in 5 files, 2 days old, and a long title that says so at more length than any row of the list could ever show',
    type: 'worktree',
    repo: 'atlas-web',
    preview: '+214 −37 in src/forms. Last touched on Tuesday at 18:12.',
    hours: 39,
    read: true,
    state: 'dirty',
    reason: 'old_changes',
  },
  {
    title: 'Stash from 3 weeks ago: "WIP before the demo"',
    type: 'stash',
    repo: 'ledger',
    preview: 'stash@{0} on main, 4 files. Its base is 61 commits back.',
    hours: 52,
    read: true,
    state: 'stash',
  },
  {
    title: 'Nightly build failed: 2 of 318 tests',
    type: 'build',
    repo: 'atlas-api',
    preview: 'tenant_isolation::rejects_foreign_rows timed out after 60 s.',
    hours: 6,
    account: BUILDS,
    state: 'failed',
    priority: 'high',
    labels: ['nightly', 'flaky'],
    outbox: 'failed',
  },
  {
    title: 'Build 4,182 is green again',
    type: 'build',
    repo: 'courier',
    preview: '318 passed in 4 min 12 s, 11 s slower than last week.',
    hours: 7.5,
    account: BUILDS,
    read: true,
    state: 'passed',
    outbox: 'waiting',
  },
  {
    title: 'Release checklist for 2.4 comes back on Monday',
    type: 'note',
    repo: 'atlas-web',
    preview: 'Changelog, screenshots, migration notes.',
    hours: 30,
    account: 'import',
    snoozedHours: 96,
  },
  {
    title: 'Merge of origin/main into spike/wasm was never committed',
    type: 'merge',
    repo: 'courier',
    preview: 'MERGE_HEAD is 9 days old; nothing conflicts.',
    hours: 210,
    state: 'unfinished',
  },
];

const REPOS = ['atlas-api', 'atlas-web', 'courier', 'ledger', 'dotfiles'];
const BRANCHES = ['fix/empty-page', 'feature/audit-log', 'chore/bump-deps', 'spike/arrow', 'docs/keys'];

/** As many items as asked for, always the same ones. */
export function makeItems(count: number): Item[] {
  return Array.from({ length: count }, (_, n) => makeItem(n)).sort((a, b) => (a.position < b.position ? 1 : -1));
}

export function makeItem(n: number): Item {
  return toItem(SEEDS[n] ?? seedOf(n), n);
}

function seedOf(n: number): Seed {
  const branch = BRANCHES[n % BRANCHES.length]!;
  const ahead = (n % 6) + 1;
  return {
    title: n % 3 === 0 ? `${branch} has no upstream yet` : `${branch}: ${ahead} commit${ahead > 1 ? 's' : ''} not pushed`,
    type: 'branch',
    repo: REPOS[(n * 3) % REPOS.length]!,
    preview: `Last commit ${(n % 9) + 1} days ago.`,
    hours: 60 + n * 5,
    read: n % 4 !== 0,
    state: n % 3 === 0 ? 'no upstream' : 'ahead',
  };
}

function toItem(seed: Seed, n: number): Item {
  const at = iso(NOW - seed.hours * HOUR);
  const account = seed.account ?? GIT;
  return {
    id: `item_${String(n + 1).padStart(4, '0')}`,
    accountId: account,
    plugin: account === GIT ? 'devrig-plugin-git-local' : account === BUILDS ? 'devrig-plugin-builds' : 'import',
    type: seed.type,
    title: seed.title,
    preview: seed.preview,
    sourceUrl: account === BUILDS ? `https://builds.example.com/${n}` : null,
    threadKey: `${seed.repo}:${n}`,
    actor: seed.actor ?? null,
    repo: seed.repo,
    reason: seed.reason ?? null,
    labels: seed.labels ?? [],
    priority: seed.priority ?? 'normal',
    state: seed.state ?? null,
    isActionable: seed.priority === 'urgent',
    triage: {
      readAt: seed.read ? at : null,
      doneAt: seed.done ? at : null,
      snoozedUntil: seed.snoozedHours ? iso(NOW + seed.snoozedHours * HOUR) : null,
      starredAt: seed.starred ? at : null,
      muted: false,
      labels: seed.own ?? [],
      priority: null,
    },
    activityAt: at,
    position: `${at}~${String(n).padStart(7, '0')}`,
    outbox: seed.outbox ?? null,
    externalId: `ext-${n}`,
    body: seed.body ?? seed.preview,
    metadata: {},
    sourceCreatedAt: iso(NOW - (seed.hours + 20) * HOUR),
    sourceUpdatedAt: at,
    createdAt: at,
    updatedAt: at,
  };
}

export function makePlugins(ready: boolean): PluginInfo[] {
  return [
    {
      name: 'devrig-plugin-git-local',
      version: '0.1.0',
      displayName: 'Local git',
      description: 'Branches ahead or behind, old uncommitted work, stashes, and unfinished merges in your folders.',
      author: 'DevRig',
      source: 'bundled',
      state: ready ? 'active' : 'installed',
      error: null,
      warning: null,
      permissions: [
        { permission: 'git:read:{settings.folders}', words: 'Read the git repositories in the folders that you choose. It never changes them.', wide: false },
        { permission: 'inbox:write', words: 'Put items into your inbox.', wide: false },
        { permission: 'files:open:{settings.folders}', words: 'Open one of these folders in your file manager when you ask for it.', wide: false },
      ],
      conditions: [],
      triggers: [],
      dataSources: [{ id: 'repositories', name: 'Repositories', description: 'All repositories under your folders.', defaultIntervalMs: 300_000 }],
      actions: [
        { id: 'fetch', name: 'Fetch', description: 'Ask the upstream for news.', inputSchema: null, appliesTo: ['branch'], idempotent: true, readOnly: false, reverse: null },
        { id: 'open-folder', name: 'Open folder', description: 'Show the repository in the file manager.', inputSchema: null, appliesTo: [], idempotent: true, readOnly: true, reverse: null },
      ],
      settingsSchema: {
        type: 'object',
        required: ['folders'],
        properties: {
          folders: { type: 'array', title: 'Folders', description: 'DevRig looks for repositories in and under these.', items: { type: 'string', format: 'folder' }, minItems: 1 },
          oldAfterHours: { type: 'integer', title: 'Uncommitted work is old after (hours)', minimum: 1, maximum: 720, default: 24 },
          stashes: { type: 'boolean', title: 'Show stashes', default: true },
        },
      },
      secrets: [],
      accounts: [
        {
          id: GIT,
          plugin: 'devrig-plugin-git-local',
          name: 'Local git',
          enabled: true,
          settings: ready ? { folders: ['/home/kim/code', '/home/kim/work'] } : {},
          granted: ready ? ['git:read:{settings.folders}', 'inbox:write', 'files:open:{settings.folders}'] : [],
          secretsSet: [],
          waiting: ready ? null : 'Choose the folders that it may look at.',
          connect: null,
          connection: null,
        },
      ],
    },
    {
      name: 'devrig-plugin-builds',
      version: '1.3.2',
      displayName: 'Build watch',
      description: 'Failed and repaired builds of a build server.',
      author: 'Example Works',
      source: 'installed',
      state: ready ? 'active' : 'disabled',
      error: null,
      warning: 'The file sandbox is not available on this system, so this plugin runs with process isolation alone.',
      permissions: [
        { permission: 'network:builds.example.com', words: 'Talk to builds.example.com.', wide: false },
        { permission: 'secrets:token', words: 'Send the secret "token" to builds.example.com without seeing it.', wide: false },
        { permission: 'network', words: 'Talk to any public host on the internet.', wide: true },
      ],
      conditions: [],
      triggers: [],
      dataSources: [{ id: 'builds', name: 'Builds', description: 'Builds of your projects.', defaultIntervalMs: 120_000 }],
      actions: [
        {
          id: 'restart', name: 'Restart build', description: 'Run the failed build once more.', appliesTo: ['build'], idempotent: false, readOnly: false, reverse: null,
          inputSchema: {
            type: 'object',
            required: ['reason'],
            properties: {
              reason: { type: 'string', title: 'Reason', format: 'markdown', minLength: 3 },
              priority: { type: 'string', title: 'Queue', enum: ['normal', 'fast'], default: 'normal' },
              clean: { type: 'boolean', title: 'Empty the cache first', default: false },
            },
          },
        },
      ],
      settingsSchema: {
        type: 'object',
        required: ['baseUrl'],
        properties: { baseUrl: { type: 'string', title: 'Server', format: 'uri', description: 'Such as https://builds.example.com' } },
      },
      secrets: ['token'],
      accounts: [
        {
          id: BUILDS,
          plugin: 'devrig-plugin-builds',
          name: 'Build watch',
          enabled: true,
          settings: { baseUrl: 'https://builds.example.com' },
          granted: ready ? ['network:builds.example.com', 'secrets:token'] : [],
          secretsSet: ready ? ['token'] : [],
          waiting: null,
          connect: null,
          connection: null,
        },
      ],
    },
    {
      name: 'devrig-plugin-forge',
      version: '0.2.0',
      displayName: 'Forge',
      description: 'Reviews and mentions on a code forge.',
      author: 'Example Works',
      source: 'bundled',
      state: 'installed',
      error: null,
      warning: null,
      permissions: [
        { permission: 'network:api.forge.example', words: 'Talk to api.forge.example.', wide: false },
        { permission: 'secrets:forge_token', words: 'Send the secret "forge_token" to api.forge.example without seeing it.', wide: false },
      ],
      conditions: [],
      triggers: [],
      dataSources: [{ id: 'forge.reviews', name: 'Reviews', description: 'Reviews that wait for you.', defaultIntervalMs: 60_000 }],
      actions: [],
      settingsSchema: null,
      secrets: ['forge_token'],
      accounts: [
        {
          id: 'acc_forge',
          plugin: 'devrig-plugin-forge',
          name: 'Forge',
          enabled: true,
          settings: {},
          granted: [],
          secretsSet: [],
          waiting: 'It has not been connected yet.',
          connect: {
            secret: 'forge_token',
            title: 'Access token',
            description: 'A token of your own, made on the forge.',
            scopes: [
              { name: 'read', why: 'to see reviews' },
              { name: 'workflow', why: 'to run failed checks again' },
            ],
            url: 'https://forge.example/tokens/new',
          },
          connection: null,
        },
      ],
    },
  ];
}

export function makeSyncs(ready: boolean): SyncStatus[] {
  return [
    {
      account: GIT, plugin: 'devrig-plugin-git-local', source: 'repositories', name: 'Repositories',
      state: ready ? 'idle' : 'waiting', lastSyncAt: ready ? iso(NOW - 4 * 60_000) : null, endedAt: ready ? iso(NOW - 4 * 60_000) : null, beganAt: ready ? iso(NOW - 4 * 60_000) : null, nextSyncAt: ready ? iso(NOW + 60_000) : null, quietHours: null,
      error: null, itemsSynced: 34, progress: null, intervalMs: 300_000,
    },
    {
      account: BUILDS, plugin: 'devrig-plugin-builds', source: 'builds', name: 'Builds',
      state: ready ? 'error' : 'disabled', lastSyncAt: iso(NOW - 3 * HOUR), endedAt: iso(NOW - 4 * 60_000), beganAt: iso(NOW - 4 * 60_000), nextSyncAt: ready ? iso(NOW + 9 * 60_000) : null, quietHours: '22:00-07:00 Europe/Berlin',
      error: ready
        ? { code: 'UNAUTHORIZED', category: 'permanent', message: 'builds.example.com refused the token', hint: 'Give a new token in the plugin\'s settings.', retryable: false }
        : null,
      itemsSynced: 212, progress: null, intervalMs: 120_000,
    },
  ];
}
