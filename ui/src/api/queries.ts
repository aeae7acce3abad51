import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { tagsOf } from '../platform/calls';
import { call } from './client';
import { itemsKey, readAgain } from './readSlice';
import type { Slice } from './slice';

// Each read carries the tags that the engine's list of calls gives it; a `stale` event with one of
// them reads it again.
export const itemsQuery = (query: string) =>
  queryOptions({
    queryKey: itemsKey(query),
    queryFn: ({ client, queryKey }) => readAgain(query, client.getQueryData<Slice>(queryKey)),
    meta: { tags: tagsOf('inbox_list') },
  });

export const itemQuery = (id: string) =>
  queryOptions({ queryKey: ['item', id] as const, queryFn: () => call('inbox_get', { id }), meta: { tags: tagsOf('inbox_get') }, gcTime: 60_000 });

export const countQuery = (query: string) =>
  queryOptions({
    queryKey: ['count', query] as const,
    queryFn: () => call('inbox_count', { query }),
    placeholderData: keepPreviousData,
    meta: { tags: tagsOf('inbox_count') },
  });

export const statsQuery = () => queryOptions({ queryKey: ['stats'] as const, queryFn: () => call('inbox_stats', {}), meta: { tags: tagsOf('inbox_stats') } });

/** Operations read at once. */
export const HISTORY_PAGE = 50;

export const historyQuery = () =>
  infiniteQueryOptions({
    queryKey: ['history'] as const,
    queryFn: ({ pageParam }) => call('inbox_operations', { before: pageParam, limit: HISTORY_PAGE }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < HISTORY_PAGE ? null : page.at(-1)!.id),
    meta: { tags: tagsOf('inbox_operations') },
  });

export const checkQuery = (query: string) =>
  queryOptions({
    queryKey: ['check', query] as const,
    queryFn: () => call('inbox_check_query', { query }),
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  });

export const outboxQuery = () => queryOptions({ queryKey: ['outbox'] as const, queryFn: () => call('outbox_list', {}), meta: { tags: tagsOf('outbox_list') } });

export const pluginsQuery = () =>
  queryOptions({ queryKey: ['plugins'] as const, queryFn: () => call('plugin_list', {}), meta: { tags: tagsOf('plugin_list') } });

export const logsQuery = (plugin: string) =>
  queryOptions({
    queryKey: ['logs', plugin] as const,
    queryFn: () => call('plugin_logs', { plugin, limit: 200 }),
    meta: { tags: tagsOf('plugin_logs') },
  });

export const syncQuery = () => queryOptions({ queryKey: ['sync'] as const, queryFn: () => call('sync_status', {}), meta: { tags: tagsOf('sync_status') } });

export const engineQuery = () => queryOptions({ queryKey: ['engine'] as const, queryFn: () => call('engine_info', {}), meta: { tags: tagsOf('engine_info') } });

export const doctorQuery = () =>
  queryOptions({ queryKey: ['doctor'] as const, queryFn: () => call('engine_doctor', {}), meta: { tags: tagsOf('engine_doctor') } });

export const keychainQuery = () =>
  queryOptions({ queryKey: ['keychain'] as const, queryFn: () => call('keychain_status', {}), meta: { tags: tagsOf('keychain_status') } });

export const settingsQuery = () => queryOptions({ queryKey: ['settings'] as const, queryFn: () => call('settings_all', {}), meta: { tags: tagsOf('settings_all') } });

export const splitsQuery = () => queryOptions({ queryKey: ['splits'] as const, queryFn: () => call('split_list', {}), meta: { tags: tagsOf('split_list') } });

export const rulesQuery = () => queryOptions({ queryKey: ['rules'] as const, queryFn: () => call('rule_list', {}), meta: { tags: tagsOf('rule_list') } });
