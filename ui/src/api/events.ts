import type { QueryClient } from '@tanstack/react-query';

import type { EngineEvent, ItemSummary, SyncStatus, Tag } from '../platform/wire';
import { engineQuery, itemQuery, keychainQuery, syncQuery } from './queries';
import { readHead } from './readSlice';
import { mayBeMissing, mergeHead, patched, type Slice } from './slice';

/** The first news is read soon, a storm of news at most this often. */
const SOON_MS = 40;
const AGAIN_MS = 500;
/** Up to this many rows are read again whole; of more, only the first page where that is enough. */
const WHOLE = 500;

/** Keeps what the queries hold in step with the engine. */
export function makeEventHandler(client: QueryClient): (event: EngineEvent) => void {
  const refresh = throttledRefresh(client);
  return (event) => {
    switch (event.type) {
      case 'itemsChanged':
        if (patchItems(client, event.items, event.removed)) refresh(['items']);
        return;
      case 'stale':
        refresh(event.tags);
        return;
      case 'syncChanged':
        client.setQueryData(syncQuery().queryKey, (old) => withSync(old, event.status));
        return;
      case 'keychainChanged':
        client.setQueryData(keychainQuery().queryKey, event.status);
        refresh(['accounts', 'health']);
        return;
      case 'shown':
        // The shell raises the window and tells it where to go.
        return;
      case 'ownerChanged':
        void client.invalidateQueries({ queryKey: engineQuery().queryKey });
        return;
      case 'engineError':
        // The run that it ended tells of it.
        refresh(['runs', 'logs']);
        return;
      case 'lagged':
        void client.invalidateQueries();
        return;
    }
  };
}

/** Patches rows wherever they are shown. True when a list may have to show a row that it does not hold. */
export function patchItems(client: QueryClient, items: readonly ItemSummary[], removed: readonly string[] = []): boolean {
  let missing = false;
  for (const [key, data] of client.getQueriesData<Slice>({ queryKey: ['items'] })) {
    if (!data) continue;
    const query = String(key[1]);
    missing ||= mayBeMissing(data, query, items);
    const next = patched(data, query, items, removed);
    if (next !== data) client.setQueryData(key, next);
  }
  for (const item of items) {
    client.setQueryData(itemQuery(item.id).queryKey, (old) => old && { ...old, ...item });
    // The body may have changed with it.
    void client.invalidateQueries({ queryKey: itemQuery(item.id).queryKey });
  }
  return missing;
}

function withSync(old: SyncStatus[] | undefined, status: SyncStatus): SyncStatus[] | undefined {
  if (!old) return old;
  const at = old.findIndex((each) => each.account === status.account && each.source === status.source);
  return at < 0 ? [...old, status] : old.with(at, status);
}

function throttledRefresh(client: QueryClient): (tags: readonly Tag[]) => void {
  const waiting = new Set<Tag>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const flush = () => {
    timer = undefined;
    last = Date.now();
    const tags = new Set(waiting);
    waiting.clear();
    void refreshNow(client, tags);
  };
  return (tags) => {
    for (const tag of tags) waiting.add(tag);
    timer ??= setTimeout(flush, Math.max(SOON_MS, last + AGAIN_MS - Date.now()));
  };
}

async function refreshNow(client: QueryClient, tags: ReadonlySet<Tag>): Promise<void> {
  const lists = tags.has('items') ? client.getQueryCache().findAll({ queryKey: ['items'] }) : [];
  await Promise.all([
    client.invalidateQueries({
      predicate: (query) => query.queryKey[0] !== 'items' && (query.meta?.tags ?? []).some((tag) => tags.has(tag)),
    }),
    ...lists.map((list) => refreshList(client, list.queryKey as readonly ['items', string])),
  ]);
}

/** Reads a list again, as much of it as is sensible. */
export async function refreshList(client: QueryClient, queryKey: readonly ['items', string]): Promise<void> {
  const slice = client.getQueryData<Slice>(queryKey);
  if (slice && slice.before === null && slice.rows.length > WHOLE) {
    const head = await readHead(queryKey[1]).catch(() => null);
    const merged = head && mergeHead(client.getQueryData<Slice>(queryKey) ?? slice, head);
    if (merged) {
      client.setQueryData(queryKey, merged);
      return;
    }
  }
  await client.invalidateQueries({ queryKey, exact: true });
}
