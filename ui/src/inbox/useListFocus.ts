import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { itemQuery } from '../api/queries';
import { reaches, type Slice } from '../api/slice';
import { stillIn } from '../api/triage';
import type { ItemSummary } from '../platform/wire';
import { resolved } from './focus';
import { focusRow, useInbox } from './state';

/**
 * The row in focus, by id. Where it has left, it is the row that took its place; where it was only
 * scrolled away from, so that it is not held any more, it stays. `base` is the place of the first row.
 */
export function useListFocus(query: string, slice: Slice | undefined, rows: readonly ItemSummary[], ids: readonly string[], base: number) {
  const client = useQueryClient();
  const wanted = useInbox((inbox) => inbox.focusId);
  const lastIndex = useInbox((inbox) => inbox.focusIndex);
  // Only looked at where the row is not there: otherwise every move of the focus would draw the page twice.
  const before = useInbox((inbox) => (inbox.focusId !== null && !ids.includes(inbox.focusId) ? inbox.focusItem : null));

  const last = wanted === null || before === null ? before : (client.getQueryData(itemQuery(wanted).queryKey) ?? before);
  const away = slice !== undefined && last !== null && last.id === wanted && !reaches(slice, last) && stillIn(query, last);
  const focusId = away ? wanted : resolved(ids, wanted, lastIndex - base);
  const at = focusId === null ? -1 : ids.indexOf(focusId);
  const focused = rows[at] ?? (away ? last : null);
  useEffect(() => {
    if (focusId !== null && at >= 0) focusRow(focusId, base + at);
  }, [focusId, base, at]);
  useEffect(() => {
    if (focused !== null) useInbox.setState({ focusItem: focused });
  }, [focused]);
  return { focusId, focused };
}
