import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { fakePlatform } from '../platform/fake';
import { scenarioFrom } from '../platform/fake/scenario';
import { connect } from './client';
import { makeEventHandler } from './events';
import { itemsQuery, statsQuery, syncQuery } from './queries';

let platform: ReturnType<typeof fakePlatform>;
let client: QueryClient;
const asked = (name: string) => platform.calls.filter((call) => call.name === name).length;

beforeEach(() => {
  vi.useFakeTimers();
  platform = fakePlatform(scenarioFrom(''));
  connect(platform);
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
});
afterEach(() => {
  client.clear();
  vi.useRealTimers();
});

test('changed rows are patched in place without reading the list again', async () => {
  const data = await client.fetchQuery(itemsQuery('is:inbox'));
  const first = data.rows[0]!;
  const hear = makeEventHandler(client);
  hear({ type: 'itemsChanged', items: [{ ...first, title: 'Changed' }], removed: [] });
  await vi.advanceTimersByTimeAsync(2000);
  expect(client.getQueryData(itemsQuery('is:inbox').queryKey)?.rows[0]!.title).toBe('Changed');
  expect(asked('inbox_list')).toBe(1);
});

test('a storm of news reads each stale query a few times, not each time', async () => {
  const { QueryObserver } = await import('@tanstack/react-query');
  const stop = new QueryObserver(client, statsQuery()).subscribe(() => {});
  await vi.advanceTimersByTimeAsync(10);
  const before = asked('inbox_stats');
  const hear = makeEventHandler(client);
  for (let n = 0; n < 1000; n += 1) {
    hear({ type: 'stale', tags: ['counts'] });
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked('inbox_stats') - before).toBeGreaterThanOrEqual(2);
  expect(asked('inbox_stats') - before).toBeLessThanOrEqual(4);
  stop();
});

test('a tag reads only the queries that depend on it', async () => {
  await client.fetchQuery(statsQuery());
  await client.fetchQuery(syncQuery());
  makeEventHandler(client)({ type: 'stale', tags: ['sync'] });
  await vi.advanceTimersByTimeAsync(100);
  expect(client.getQueryState(syncQuery().queryKey)?.isInvalidated).toBe(true);
  expect(client.getQueryState(statsQuery().queryKey)?.isInvalidated).toBe(false);
});

test('after lost events everything is stale', async () => {
  await client.fetchQuery(statsQuery());
  makeEventHandler(client)({ type: 'lagged' });
  expect(client.getQueryState(statsQuery().queryKey)?.isInvalidated).toBe(true);
});

test('the status of a sync is patched without a read', async () => {
  const [first] = await client.fetchQuery(syncQuery());
  makeEventHandler(client)({ type: 'syncChanged', status: { ...first!, state: 'syncing' } });
  expect(client.getQueryData(syncQuery().queryKey)?.[0]?.state).toBe('syncing');
  expect(asked('sync_status')).toBe(1);
});
