import type {
  AccountInfo, Calls, DevRigError, EngineEvent, Item, ItemSummary, LogLine, OperationDone, OperationKind,
  PluginInfo, SyncStatus, Triage,
} from '../wire';
import { applied } from '../../api/triage';
import type { CallName, Platform } from '../platform';
import { generated } from './generated';
import { makeHistory } from './history';
import { pageOf } from './page';
import { makeItems, makePlugins, makeSyncs, NOW } from './items';
import { keychain } from './keychain';
import { outbox } from './outbox';
import { parseQuery } from './query';
import { rulesAndSplits } from './rules';
import type { Scenario } from './scenario';

/** The calls that the interface makes; the engine has more. */
type Handlers = { [N in CallName]?: (args: Parameters<Calls[N]>[0]) => ReturnType<Calls[N]> };
type Done = { id: string; label: string; before: Map<string, Triage>; after: Map<string, Triage> };

/** The made-up platform, with a way to play the engine's part in tests. */
export interface FakePlatform extends Platform {
  emit(event: EngineEvent): void;
  /** As a notification, the tray or a link does. */
  go(path: string): void;
  /** Every call made, oldest first. */
  calls: { name: CallName; args: unknown }[];
  opened: string[];
}

/**
 * An engine of made-up items in the browser's memory. It triages, undoes, searches and grants like the
 * real one as far as the interface can tell, and forgets everything when the page goes.
 */
export function fakePlatform(scenario: Scenario): FakePlatform {
  const listeners = new Set<(event: EngineEvent) => void>();
  const goers = new Set<(path: string) => void>();
  const emit = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };
  const calls: FakePlatform['calls'] = [];
  const opened: string[] = [];
  const handlers = { ...engine(scenario, emit, opened), ...(scenario.generated > 0 ? generated(scenario.generated, emit) : {}) };
  return {
    emit,
    go(path) {
      for (const goer of goers) goer(path);
    },
    calls,
    opened,
    async call(name, args) {
      calls.push({ name, args });
      if (LISTS.has(name) && scenario.lists === 'slow') return new Promise(() => undefined);
      if (LISTS.has(name) && scenario.lists === 'broken') throw BROKEN;
      await Promise.resolve();
      const handler = handlers[name] as ((args: never) => unknown) | undefined;
      if (!handler) return fail('UNSUPPORTED', `the fake has no ${name}`);
      return structuredClone(handler(args as never)) as never;
    },
    async onEvent(handler) {
      listeners.add(handler);
      return () => listeners.delete(handler);
    },
    async onGo(handler) {
      goers.add(handler);
      return () => goers.delete(handler);
    },
    async pickFolder() {
      return '/home/kim/code';
    },
    async openUrl(url) {
      opened.push(url);
    },
    async setTheme() {},
    async setZoom() {},
  };
}

/** The calls that a scenario makes slow or breaks. */
const LISTS: ReadonlySet<CallName> = new Set<CallName>(['inbox_list', 'inbox_operations', 'outbox_list']);

const BROKEN: DevRigError = {
  code: 'DATABASE', category: 'permanent', message: 'The inbox could not be read from the database.',
  hint: 'Run `devrig db check`.', retryable: true, details: { id: 'req_7f3a' },
};

function fail(code: string, message: string, hint?: string, details?: unknown): never {
  const error: DevRigError = { code, category: 'permanent', message, hint: hint ?? null, retryable: false, details };
  throw error;
}

function engine(scenario: Scenario, emit: (event: EngineEvent) => void, opened: string[]): Handlers {
  let items = makeItems(scenario.items);
  const ready = !scenario.firstRun;
  const plugins = makePlugins(ready);
  const syncs = makeSyncs(ready);
  if (scenario.items === 8) items = items.map((item) => (item.triage.snoozedUntil ? item : { ...item, triage: { ...item.triage, doneAt: item.activityAt } }));
  if (scenario.syncing) Object.assign(syncs[0]!, { state: 'syncing', progress: { current: 12, total: 34, message: 'ledger' } });
  const secrets = keychain(scenario.keychain, emit);
  const done: Done[] = [];
  const undone: Done[] = [];
  let operations = 0;
  const history = ready ? makeHistory() : [];
  const settings: Record<string, unknown> = {
    'appearance.theme': 'system', 'appearance.density': 'compact', 'appearance.textSize': 100, 'appearance.zoom': 100, 'inbox.afterTriage': 'next',
    'notifications.enabled': true, 'notifications.quietHours': '', 'notifications.pausedUntil': null, 'notifications.batchMinutes': 0,
    'desktop.closeToTray': true, 'desktop.autostart': false, 'keys.single': true, 'keys.map': scenario.keys, 'retention.changesDays': 90,
    'onboarding.finished': ready, 'window.layout': null,
  };

  const matching = (query: string): Item[] => {
    const { tests, error } = parseQuery(query);
    if (error) throw error;
    return items.filter((item) => tests.every((test) => test(item)));
  };
  const byId = (id: string): Item => items.find((item) => item.id === id) ?? fail('NOT_FOUND', `the item ${id} is not here`);
  const pluginOf = (name: string): PluginInfo => plugins.find((p) => p.name === name) ?? fail('NOT_FOUND', `the plugin ${name} is not here`);
  const account = (id: string): AccountInfo =>
    plugins.flatMap((p) => p.accounts).find((a) => a.id === id) ?? fail('NOT_FOUND', `the account ${id} is not here`);
  const syncOf = (id: string, source: string): SyncStatus =>
    syncs.find((s) => s.account === id && s.source === source) ?? fail('NOT_FOUND', `the source ${source} is not here`);

  const setTriage = (states: Map<string, Triage>): ItemSummary[] => {
    items = items.map((item) => (states.has(item.id) ? { ...item, triage: states.get(item.id)! } : item));
    const changed = items.filter((item) => states.has(item.id)).map(summary);
    setTimeout(() => {
      emit({ type: 'itemsChanged', items: changed.slice(0, 200), removed: [] });
      emit({ type: 'stale', tags: ['counts', 'operations'] });
    }, 0);
    return changed.slice(0, 200);
  };
  /** Marks an operation in the history, for the list that shows it. */
  const setUndone = (id: string, is: boolean) => {
    const row = history.find((each) => each.id === id);
    if (row) Object.assign(row, { undone: is, undoable: !is });
  };
  const finished = (entry: Done, label: string, changed: ItemSummary[]): OperationDone => ({
    operationId: entry.id, label, changed: entry.before.size, items: changed,
  });
  const accountsChanged = () => setTimeout(() => emit({ type: 'stale', tags: ['plugins', 'accounts', 'sync'] }), 0);

  return {
    ...rulesAndSplits(matching, emit),
    ...secrets.calls,
    ...outbox(items, scenario, (itemId, state) => {
      items = items.map((item) => (item.id === itemId ? { ...item, outbox: state } : item));
      const changed = items.filter((item) => item.id === itemId).map(summary);
      setTimeout(() => emit({ type: 'itemsChanged', items: changed, removed: [] }), 0);
    }),
    engine_info: () => ({
      version: '0.1.0', home: '/home/kim/.devrig', owner: 'window', ownerPid: 4242, startedAt: new Date(NOW).toISOString(),
      firstRun: scenario.firstRun && items.length === 0 && !account('acc_git').settings.folders, online: !scenario.offline,
    }),
    engine_doctor: () => [
      { name: 'database', verdict: 'ok', message: 'whole, 3.1 MB', remedy: null },
      { name: 'keychain', verdict: secrets.isReady() ? 'ok' : 'warn', message: secrets.isReady() ? 'ready' : 'locked', remedy: secrets.isReady() ? null : 'Unlock it in Settings.' },
      { name: 'sandbox', verdict: 'ok', message: 'seccomp and Landlock are in force', remedy: null },
      { name: 'tray', verdict: 'fail', message: 'no tray host answers', remedy: 'Install a StatusNotifier extension, or leave the window open.' },
    ],
    inbox_list: (args) => {
      const found = matching(args.query ?? '');
      return pageOf(args, found.length, (place) => found.findIndex((item) => item.position <= place), (n) => summary(found[n]!));
    },
    inbox_get: ({ id }) => byId(id),
    inbox_stats: () => {
      const inbox = matching('is:inbox');
      const snoozed = matching('is:snoozed');
      const accounts = [...new Set(items.map((item) => item.accountId))];
      return {
        unread: inbox.filter((i) => !i.triage.readAt).length, inbox: inbox.length, snoozed: snoozed.length,
        starred: matching('is:starred').length, done: matching('is:done').length, total: items.length,
        nextWake: snoozed.map((i) => i.triage.snoozedUntil!).sort()[0] ?? null,
        bySource: accounts.map((accountId) => ({
          accountId, inbox: inbox.filter((i) => i.accountId === accountId).length,
          unread: inbox.filter((i) => i.accountId === accountId && !i.triage.readAt).length,
        })),
      };
    },
    // The engine reads far more; this is what tests and pictures type.
    inbox_when: ({ text }) => {
      const hours = /^(\d+)h$/.exec(text);
      if (text.includes('merged')) return { until: 'merged' };
      if (hours) return { until: new Date(Date.now() + Number(hours[1]) * 3_600_000).toISOString() };
      if (text === 'next tue 9am') return { until: new Date(NOW + 5 * 86_400_000).toISOString() };
      return fail('INVALID_INPUT', `"${text}" is no time`, 'Such as: 3h, in 2 days, next tue 9am.');
    },
    inbox_count: ({ query }) => {
      const count = matching(query).length;
      return { count: Math.min(count, 10_000), capped: count > 10_000 };
    },
    inbox_check_query: ({ query }) => {
      const { error } = parseQuery(query);
      return { ok: !error, error: error && { ...error, code: 'INVALID_QUERY' } };
    },
    inbox_operate: ({ operation, target }) => {
      const targets = target.ids ? target.ids.map(byId) : matching(target.query ?? '');
      const before = new Map(targets.map((item) => [item.id, item.triage]));
      const after = new Map(targets.map((item) => [item.id, applied(item.triage, operation, new Date(NOW).toISOString())]));
      operations += 1;
      const entry = { id: `op_${operations}`, label: LABELS[operation.kind], before, after };
      done.push(entry);
      undone.length = 0;
      history.unshift({
        id: entry.id, kind: operation.kind, label: entry.label, actor: 'person', cause: null, at: new Date(NOW).toISOString(),
        count: targets.length, undone: false, undoable: true, items: targets.slice(0, 3).map((item) => item.title),
      });
      return finished(entry, entry.label, setTriage(after));
    },
    inbox_undo: ({ operationId }) => {
      const row = history.find((each) => each.id === operationId);
      if (row && !row.undoable) fail('NOTHING_TO_DO', row.undone ? 'This is undone already.' : 'This cannot be undone any more.');
      const at = operationId ? done.findIndex((each) => each.id === operationId) : done.length - 1;
      if (row && at < 0) {
        // Done before the page came: there are no items behind it.
        setUndone(row.id, true);
        setTimeout(() => emit({ type: 'stale', tags: ['operations'] }), 0);
        return { operationId: row.id, label: `Undone: ${row.label}`, changed: row.count, items: [] };
      }
      if (operationId && at < 0) fail('NOT_FOUND', `the operation ${operationId} is not here`);
      const entry = done.splice(at, 1)[0] ?? fail('NOTHING_TO_DO', 'There is nothing to undo.');
      undone.push(entry);
      setUndone(entry.id, true);
      return finished(entry, `Undone: ${entry.label}`, setTriage(entry.before));
    },
    inbox_redo: () => {
      const entry = undone.pop() ?? fail('NOTHING_TO_DO', 'There is nothing to redo.');
      done.push(entry);
      setUndone(entry.id, false);
      return finished(entry, `Again: ${entry.label}`, setTriage(entry.after));
    },
    inbox_operations: ({ before, limit }) => {
      const start = before ? history.findIndex((row) => row.id === before) + 1 : 0;
      return history.slice(start, start + (limit ?? 50));
    },
    inbox_action: ({ itemId, action }) => ({
      id: 'out_1', operationId: 'op_a', itemId: itemId ?? null, title: itemId ? byId(itemId).title : '', accountId: itemId ? byId(itemId).accountId : '', action, label: action,
      state: 'waiting', error: null, idempotencyKey: 'key_1', dueAt: new Date(NOW + 5000).toISOString(), createdAt: new Date(NOW).toISOString(),
    }),
    inbox_open: ({ id }) => {
      const url = byId(id).sourceUrl ?? fail('NOTHING_TO_DO', 'This item has no page to open.');
      opened.push(url);
      return null;
    },
    plugin_list: () => plugins,
    plugin_install: ({ path }) => fail('INVALID_MANIFEST', `${path} holds no devrig-plugin.json`, 'Choose the folder that holds the manifest.'),
    plugin_uninstall: ({ name }) => {
      plugins.splice(plugins.indexOf(pluginOf(name)), 1);
      accountsChanged();
      return null;
    },
    plugin_toggle: ({ name, enabled }) => {
      const plugin = pluginOf(name);
      plugin.state = enabled ? 'active' : 'disabled';
      accountsChanged();
      return plugin;
    },
    plugin_logs: ({ plugin }): LogLine[] => {
      const of = pluginOf(plugin);
      const id = of.accounts[0]?.id ?? '';
      const line = (seq: number, level: LogLine['level'], message: string): LogLine => ({
        seq, at: new Date(NOW - (40 - seq) * 7000).toISOString(), account: id, level, message, meta: null,
      });
      return [
        line(34, 'info', 'sync finished: 34 repositories, 3 changed'),
        line(33, 'warn', 'atlas-web: upstream "origin/old" is gone'),
        line(32, 'debug', 'ledger: rebase in progress, step 4 of 11'),
        line(31, 'error', 'dotfiles: HEAD points nowhere'),
        line(30, 'info', 'sync started'),
      ];
    },
    account_add: ({ plugin, name }) => {
      const added: AccountInfo = { id: `acc_${name}`, plugin, name, enabled: true, settings: {}, granted: [], secretsSet: [], waiting: 'It has not been set up yet.', connect: null, connection: null };
      pluginOf(plugin).accounts.push(added);
      accountsChanged();
      return added;
    },
    account_remove: ({ id }) => {
      for (const plugin of plugins) plugin.accounts = plugin.accounts.filter((a) => a.id !== id);
      accountsChanged();
      return null;
    },
    account_rename: ({ id, name }) => {
      accountsChanged();
      return Object.assign(account(id), { name });
    },
    account_check: ({ id }) => {
      const of = account(id);
      const works = of.secretsSet.length > 0;
      if (works) of.waiting = null;
      of.connection = works
        ? { identity: 'kim', detail: 'Kim Example', warnings: ['The token lacks the right workflow, so failed checks cannot be run again.'], checkedAt: new Date(NOW).toISOString(), error: null }
        : { identity: null, detail: null, warnings: [], checkedAt: new Date(NOW).toISOString(), error: { code: 'UNAUTHORIZED', category: 'permanent', message: 'There is no token.', retryable: false } };
      accountsChanged();
      return of;
    },
    account_configure: ({ id, settings: next }) => {
      const folders: unknown = next?.folders;
      if (Array.isArray(folders)) {
        const wrong = folders.findIndex((folder) => !String(folder).startsWith('/'));
        if (wrong >= 0) fail('INVALID_INPUT', `${folders[wrong]} is not a folder`, 'Give its whole path.', { field: `/folders/${wrong}` });
      }
      accountsChanged();
      return Object.assign(account(id), { settings: next, waiting: null });
    },
    account_grant: ({ id, permissions }) => {
      const to = account(id);
      const asked = pluginOf(to.plugin).permissions.map((p) => p.permission);
      to.granted = [...new Set([...to.granted, ...(permissions ?? asked)])];
      accountsChanged();
      return to;
    },
    account_revoke: ({ id, permission }) => {
      const from = account(id);
      from.granted = from.granted.filter((p) => p !== permission);
      accountsChanged();
      return from;
    },
    sync_status: () => syncs,
    sync_now: ({ account: id }) => {
      if (scenario.firstRun && items.length === 0) {
        items = makeItems(30);
        setTimeout(() => emit({ type: 'stale', tags: ['items', 'counts'] }), 30);
      }
      for (const sync of syncs.filter((s) => !id || s.account === id)) {
        Object.assign(sync, { state: 'idle', lastSyncAt: new Date(NOW).toISOString(), error: null });
        setTimeout(() => emit({ type: 'syncChanged', status: { ...sync } }), 30);
      }
      return null;
    },
    sync_configure: ({ account: id, source, intervalMs, enabled, quietHours }) => {
      const sync = syncOf(id, source);
      if (quietHours === 'noon') fail('INVALID_INPUT', '"noon" are no quiet hours.', 'Write them as 22:00-07:00 Europe/Berlin.');
      if (quietHours !== null && quietHours !== undefined) sync.quietHours = quietHours === '' ? null : quietHours;
      if (intervalMs) sync.intervalMs = intervalMs;
      if (enabled !== null && enabled !== undefined) sync.state = enabled ? 'idle' : 'disabled';
      return sync;
    },
    secret_list: () => [],
    secret_set: ({ account: id, name }) => {
      const to = account(id ?? fail('UNSUPPORTED', 'the fake keeps no secrets of flows'));
      if (!secrets.isReady()) fail('KEYCHAIN_LOCKED', 'The keychain is locked.', 'Unlock it and try again.');
      to.secretsSet = [...new Set([...to.secretsSet, name])];
      accountsChanged();
      return null;
    },
    secret_delete: ({ account: id, name }) => {
      const of = account(id ?? fail('UNSUPPORTED', 'the fake keeps no secrets of flows'));
      of.secretsSet = of.secretsSet.filter((s) => s !== name);
      accountsChanged();
      return null;
    },
    job_list: () => ({ jobs: [], cursor: null }),
    job_retry: () => null,
    job_discard: () => null,
    settings_get: ({ key }) => settings[key] ?? null,
    settings_set: ({ key, value }) => {
      settings[key] = value;
      return null;
    },
    settings_all: () => settings,
  };
}

export function summary(item: Item): ItemSummary {
  const { externalId: _1, body: _2, metadata: _3, sourceCreatedAt: _4, sourceUpdatedAt: _5, createdAt: _6, updatedAt: _7, ...rest } = item;
  return rest;
}

const LABELS: Record<OperationKind['kind'], string> = {
  read: 'Marked read', unread: 'Marked unread', done: 'Done', notDone: 'Back in the inbox', snooze: 'Snoozed',
  unsnooze: 'Woken', star: 'Starred', unstar: 'Star removed', mute: 'Muted', unmute: 'Unmuted',
  addLabels: 'Labelled', removeLabels: 'Label removed', setPriority: 'Priority set',
};
