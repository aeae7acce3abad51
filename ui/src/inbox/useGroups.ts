import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { pluginsQuery } from '../api/queries';
import { startOfDay } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { ItemSummary } from '../platform/wire';
import { grouped, GROUPED, type Group, type Grouping } from './grouping';

/** The newest rows under their groups; null where the list has none. */
export function useGroups(rows: readonly ItemSummary[], by: Grouping): readonly Group[] | null {
  const { data: plugins } = useQuery(pluginsQuery());
  const today = startOfDay(useNow());
  return useMemo(() => {
    if (by === 'none') return null;
    const names = new Map(plugins?.flatMap((plugin) => plugin.accounts).map((account) => [account.id, account.name]));
    const sourceName = (id: string) => (id === 'import' ? 'Imported' : (names.get(id) ?? id));
    return grouped(rows.slice(0, GROUPED), by, { now: today, sourceName });
  }, [rows, by, plugins, today]);
}
