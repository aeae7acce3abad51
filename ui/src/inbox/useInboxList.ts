import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';

import { rowsOf } from '../api/pages';
import { countQuery, itemQuery, itemsQuery } from '../api/queries';
import { stillIn } from '../api/triage';
import type { DevRigError, ItemSummary } from '../platform/wire';
import { resolved, withKept } from './focus';
import { focusRow, useInbox } from './state';

export type InboxList = {
  query: string;
  rows: readonly ItemSummary[];
  ids: readonly string[];
  focusId: string | null;
  /** How many there are in all; null where it is not known. */
  total: number | null;
  capped: boolean;
  loading: boolean;
  error: DevRigError | null;
  /** When the rows on screen were read. */
  readAt: number;
  more: boolean;
  loadMore: () => void;
  retry: () => void;
};

/** The rows of a query as they are on screen, and the one in focus. */
export function useInboxList(query: string): InboxList {
  const client = useQueryClient();
  const result = useInfiniteQuery(itemsQuery(query));
  const count = useQuery(countQuery(query));
  const wanted = useInbox((state) => state.focusId);
  const lastIndex = useInbox((state) => state.focusIndex);

  const shown = useRef<{ query: string; rows: readonly ItemSummary[] }>({ query, rows: [] });
  const rows = useMemo(() => {
    const fresh = rowsOf(result.data);
    const before = shown.current.query === query ? shown.current.rows : [];
    // Kept only while it is known that the row still lies where this list looks.
    const known = wanted === null ? undefined : client.getQueryData(itemQuery(wanted).queryKey);
    return withKept(before, fresh, known && stillIn(query, known) ? wanted : null);
    // `wanted` is left out: moving the focus must not take the row away at once.
    // eslint-disable-next-line react/exhaustive-deps
  }, [client, query, result.data]);
  const ids = useMemo(() => rows.map((item) => item.id), [rows]);
  useEffect(() => {
    shown.current = { query, rows };
  }, [query, rows]);

  const focusId = resolved(ids, wanted, lastIndex);
  const focusIndex = focusId === null ? 0 : ids.indexOf(focusId);
  useEffect(() => {
    if (focusId !== null) focusRow(focusId, focusIndex);
  }, [focusId, focusIndex]);

  return {
    query,
    rows,
    ids,
    focusId,
    total: count.data?.count ?? null,
    capped: count.data?.capped ?? false,
    loading: result.isPending,
    error: result.error,
    readAt: result.dataUpdatedAt,
    more: result.hasNextPage,
    loadMore: () => {
      if (!result.isFetchingNextPage && !result.isFetchNextPageError) void result.fetchNextPage();
    },
    retry: () => void result.refetch(),
  };
}
