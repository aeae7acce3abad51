// What travels between the interface and the engine. Everything here imports its types from this file;
// `bindings.ts` beside it is generated from Rust and is imported nowhere else.
export type Timestamp = string; // RFC 3339 UTC, ms
export type Category = 'transient'|'permanent'|'resource'|'timeout'|'cancelled'|'plugin';
export type DevRigError = { code: string; category: Category; message: string; hint?: string|null; retryable: boolean; details?: any };
export type Priority = 'low'|'normal'|'high'|'urgent';
export type Triage = { readAt: string|null; doneAt: string|null; snoozedUntil: string|null; starredAt: string|null; muted: boolean; labels: string[]; priority: Priority|null };
export type ItemSummary = { id: string; accountId: string; plugin: string; type: string; title: string; preview: string; sourceUrl: string|null; threadKey: string|null; actor: string|null; repo: string|null; reason: string|null; labels: string[]; priority: Priority; state: string|null; isActionable: boolean; triage: Triage; activityAt: string; position: string; outbox: string|null };
export type Item = ItemSummary & { externalId: string; body: string; metadata: any; sourceCreatedAt: string|null; sourceUpdatedAt: string|null; createdAt: string; updatedAt: string };
export type Page = { items: ItemSummary[]; next: string|null; totalHint: number|null };
export type OperationKind = {kind:'read'}|{kind:'unread'}|{kind:'done'}|{kind:'notDone'}|{kind:'snooze',until:string}|{kind:'unsnooze'}|{kind:'star'}|{kind:'unstar'}|{kind:'mute'}|{kind:'unmute'}|{kind:'addLabels',labels:string[]}|{kind:'removeLabels',labels:string[]}|{kind:'setPriority',priority:Priority|null};
export type Target = { ids: string[] } | { query: string };
export type OperationDone = { operationId: string|null; label: string; changed: number; items: ItemSummary[] };
export type OperationRow = { id: string; kind: string; label: string; actor: string; cause: string|null; at: string; count: number; undone: boolean; undoable: boolean; items: string[] };
export type InboxStats = { unread: number; inbox: number; snoozed: number; starred: number; done: number; total: number; nextWake: string|null; bySource: { accountId: string; unread: number; inbox: number }[] };
export type OutboxRow = { id: string; operationId: string; itemId: string|null; account: string; action: string; state: 'waiting'|'sending'|'sent'|'failed'|'cancelled'|'needsDecision'; error: DevRigError|null; sendAt: string|null; createdAt: string };
export type PluginSource = 'bundled'|'installed';
export type PluginState = 'installed'|'active'|'disabled'|'error'|'quarantined';
export type PermissionInfo = { permission: string; words: string; wide: boolean };
export type DataSourceInfo = { id: string; name: string; description: string; defaultIntervalMs: number };
export type ActionInfo = { id: string; name: string; description: string; inputSchema: any|null; appliesTo: string[]; idempotent: boolean; readOnly: boolean; reverse: string|null };
export type AccountInfo = { id: string; plugin: string; name: string; enabled: boolean; settings: any; granted: string[]; secretsSet: string[]; waiting: string|null };
export type PluginInfo = { name: string; version: string; displayName: string; description: string; author: string; source: PluginSource; state: PluginState; error: DevRigError|null; warning: string|null; permissions: PermissionInfo[]; dataSources: DataSourceInfo[]; actions: ActionInfo[]; settingsSchema: any|null; secrets: string[]; accounts: AccountInfo[] };
export type SyncStatus = { account: string; plugin: string; source: string; name: string; state: 'idle'|'syncing'|'error'|'waiting'|'disabled'; lastSyncAt: string|null; nextSyncAt: string|null; error: DevRigError|null; itemsSynced: number; progress: {current:number,total:number|null,message:string|null}|null; intervalMs: number };
export type LogLine = { seq: number; at: string; account: string; level: 'debug'|'info'|'warn'|'error'; message: string; meta: any };
export type KeychainStatus = { state: 'ready'|'locked'|'absent'|'failed'; message: string; hint?: string|null };
export type EngineInfo = { version: string; home: string; owner: string; ownerPid: number; startedAt: string; firstRun: boolean; online: boolean };
export type Verdict = { name: string; verdict: 'ok'|'warn'|'fail'; message: string; remedy: string|null };
export type SecretInfo = { name: string; account: string; plugin: string; createdAt: string; updatedAt: string };
export type JobInfo = { id: string; kind: string; status: string; payload: any; result: any; priority: number; attempts: number; runAt: string; createdAt: string; startedAt: string|null; finishedAt: string|null; history: any[] };
export type Tag = 'items'|'counts'|'operations'|'outbox'|'plugins'|'accounts'|'sync'|'secrets'|'jobs'|'settings'|'logs'|'health';
export type EngineEvent =
  | { type: 'itemsChanged'; items: ItemSummary[]; removed: string[] }   // patch rows; counts/order are told by 'stale'
  | { type: 'stale'; tags: Tag[] }
  | { type: 'syncChanged'; status: SyncStatus }
  | { type: 'keychainChanged'; status: KeychainStatus }
  | { type: 'openItem'; id: string }           // a notification was clicked
  | { type: 'ownerChanged'; role: 'owner'|'guest' }
  | { type: 'lagged' };                          // re-read everything shown
// calls: name(args) -> result; every call takes one object
export interface Calls {
  engine_info(a: {}): EngineInfo;
  engine_doctor(a: {}): Verdict[];
  inbox_list(a: { query: string; cursor?: string|null; limit?: number|null }): Page;
  inbox_get(a: { id: string }): Item;
  inbox_stats(a: {}): InboxStats;
  inbox_count(a: { query: string }): { count: number; capped: boolean };
  inbox_check_query(a: { query: string }): { ok: boolean; error: DevRigError|null };
  inbox_operate(a: { operation: OperationKind; target: Target }): OperationDone;
  inbox_undo(a: { operationId?: string|null }): OperationDone;
  inbox_redo(a: {}): OperationDone;
  inbox_operations(a: { before?: string|null; limit?: number|null }): OperationRow[];
  inbox_action(a: { itemId?: string|null; account?: string|null; action: string; input: any }): OutboxRow;
  inbox_open(a: { id: string }): null;         // opens the source URL in the browser
  outbox_list(a: {}): OutboxRow[];
  outbox_cancel(a: { id: string }): null;
  plugin_list(a: {}): PluginInfo[];
  plugin_install(a: { path: string }): PluginInfo;
  plugin_uninstall(a: { name: string; purgeItems: boolean }): null;
  plugin_toggle(a: { name: string; enabled: boolean }): PluginInfo;
  plugin_logs(a: { plugin: string; account?: string|null; before?: number|null; limit?: number|null }): LogLine[];
  account_add(a: { plugin: string; name: string }): AccountInfo;
  account_remove(a: { id: string; purgeItems: boolean }): null;
  account_rename(a: { id: string; name: string }): AccountInfo;
  account_configure(a: { id: string; settings: any }): AccountInfo;      // INVALID_INPUT with details {field: "/folders/0"} on schema errors
  account_grant(a: { id: string; permissions: string[] | null }): AccountInfo;  // null = all
  account_revoke(a: { id: string; permission: string }): AccountInfo;
  sync_status(a: {}): SyncStatus[];
  sync_now(a: { account?: string|null; source?: string|null }): null;
  sync_configure(a: { account: string; source: string; intervalMs?: number|null; enabled?: boolean|null }): SyncStatus;
  secret_list(a: {}): SecretInfo[];
  secret_set(a: { account: string; name: string; value: string }): null;
  secret_delete(a: { account: string; name: string }): null;
  keychain_status(a: {}): KeychainStatus;
  keychain_unlock(a: {}): KeychainStatus;
  job_list(a: { status?: string|null; cursor?: string|null; limit?: number|null }): { jobs: JobInfo[]; cursor: string|null };
  job_retry(a: { id: string }): null;
  job_discard(a: { id: string }): null;
  settings_get(a: { key: string }): any;
  settings_set(a: { key: string; value: any }): null;
  settings_all(a: {}): Record<string, any>;
}
