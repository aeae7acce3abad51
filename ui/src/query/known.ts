import { useQueryClient } from '@tanstack/react-query';

import { pluginsQuery } from '../api/queries';
import type { Slice } from '../api/slice';
import type { ItemSummary, PluginInfo } from '../platform/wire';
import type { KnownValues } from './complete';
import type { OperatorValue } from './operators';

/** The values that rows carry, those of most rows first, and the plugins and accounts that bring them. */
export function knownValues(rows: readonly ItemSummary[], plugins: readonly PluginInfo[]): KnownValues {
  const of = (read: (item: ItemSummary) => (string | null | undefined)[]) => byFrequency(rows.flatMap(read));
  return {
    from: sources(plugins),
    repo: of((item) => [item.repo]),
    org: of((item) => [item.repo?.includes('/') ? item.repo.split('/')[0] : null]),
    type: of((item) => [item.type]),
    reason: of((item) => [item.reason]),
    label: of((item) => [...item.triage.labels, ...item.labels]),
    state: of((item) => [item.state]),
    author: of((item) => [item.actor]),
  };
}

function byFrequency(values: readonly (string | null | undefined)[]): OperatorValue[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => ({ value, help: '' }));
}

/** A plugin by its short name; its accounts by their ids where there are several. */
function sources(plugins: readonly PluginInfo[]): OperatorValue[] {
  return plugins.flatMap((plugin) => [
    { value: plugin.name.replace(/^(@[^/]+\/)?devrig-plugin-/, ''), help: plugin.displayName },
    ...(plugin.accounts.length > 1 ? plugin.accounts.map((account) => ({ value: account.id, help: account.name })) : []),
  ]);
}

/** Reads what is loaded, when it is asked: while a query is typed. */
export function useKnownValues(): () => KnownValues {
  const client = useQueryClient();
  return () => {
    const lists = client.getQueriesData<Slice>({ queryKey: ['items'] });
    const rows = new Map(lists.flatMap(([, slice]) => slice?.rows ?? []).map((item) => [item.id, item]));
    return knownValues([...rows.values()], client.getQueryData(pluginsQuery().queryKey) ?? []);
  };
}
