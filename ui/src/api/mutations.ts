import { useMutation, useQueryClient } from '@tanstack/react-query';

import type { ItemSummary, OperationKind, Tag, Target } from '../platform/wire';
import type { CallArgs, CallName, CallResult } from '../platform/platform';
import { tagsOf } from '../platform/calls';
import { call } from './client';
import { patchItems } from './events';
import { keychainQuery } from './queries';
import type { Slice } from './slice';
import { applied } from './triage';

type Operate = { operation: OperationKind; target: Target };

/** One change of items, on screen at once; a refusal puts things back as they are in the engine. */
export function useOperate() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (args: Operate) => call('inbox_operate', args),
    meta: { failure: 'That did not work' },
    onMutate: async ({ operation, target }) => {
      await client.cancelQueries({ queryKey: ['items'] });
      const at = new Date().toISOString();
      const rows = targeted(client.getQueriesData<Slice>({ queryKey: ['items'] }), target);
      patchItems(client, rows.map((item) => ({ ...item, triage: applied(item.triage, operation, at) })));
    },
    onSuccess: (done, { target }) => {
      const missing = patchItems(client, done.items);
      // A whole query can touch rows that no answer names.
      if (missing || 'query' in target) void client.invalidateQueries({ queryKey: ['items'] });
    },
    // Counts and history follow by the engine's news, which come at a rate that a held key cannot raise.
    onError: () => client.invalidateQueries({ queryKey: ['items'] }),
  });
}

function targeted(lists: [readonly unknown[], Slice | undefined][], target: Target): ItemSummary[] {
  const found = new Map<string, ItemSummary>();
  for (const [key, data] of lists) {
    const whole = target.query !== undefined && key[1] === target.query;
    for (const item of data?.rows ?? []) {
      if (whole || target.ids?.includes(item.id)) found.set(item.id, item);
    }
  }
  return [...found.values()];
}

/** Undo and redo bring rows back, so lists that do not hold them are read again. */
export function useUndo(which: 'inbox_undo' | 'inbox_redo') {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(which, {}),
    onSuccess: (done) => {
      const missing = patchItems(client, done.items);
      // Of many items not all are named.
      if (missing || done.changed > done.items.length) void client.invalidateQueries({ queryKey: ['items'] });
    },
  });
}

/** A write without a preview: the reads that it makes stale follow it. `failure` titles its toast. */
export function useWrite<N extends CallName>(name: N, failure?: string) {
  const client = useQueryClient();
  return useMutation<CallResult<N>, import('../platform/wire').DevRigError, CallArgs<N>>({
    mutationFn: (args) => call(name, args),
    meta: failure === undefined ? {} : { failure },
    // A secret that was written must not stay in memory as "the last variables".
    gcTime: name === 'secret_set' ? 0 : 5 * 60_000,
    onSettled: () => staleTags(client, tagsOf(name)),
  });
}

/** With the passphrase where one is in use. */
export function useUnlock() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (passphrase: string | null) => call('keychain_unlock', { passphrase }),
    meta: { failure: 'The secrets were not unlocked' },
    gcTime: 0,
    onSuccess: (status) => {
      client.setQueryData(keychainQuery().queryKey, status);
      staleTags(client, ['health', 'sync', 'accounts']);
    },
  });
}

/** Keeps the secrets under a passphrase from now on. */
export function useKeep() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (passphrase: string) => call('keychain_keep', { keptIn: 'passphrase', passphrase }),
    meta: { failure: 'The passphrase was not set' },
    gcTime: 0,
    onSuccess: (status) => {
      client.setQueryData(keychainQuery().queryKey, status);
      staleTags(client, ['health', 'sync', 'accounts']);
    },
  });
}

function staleTags(client: ReturnType<typeof useQueryClient>, tags: readonly Tag[]): void {
  void client.invalidateQueries({ predicate: (query) => (query.meta?.tags ?? []).some((tag) => tags.includes(tag)) });
}
