import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { useUndo, useWrite } from '../api/mutations';
import { historyQuery } from '../api/queries';
import { announce } from '../components/live';
import { toastDone, toastError } from '../components/toast';
import { keyHint } from '../keys/keymap';
import type { DevRigError, OperationRow } from '../platform/wire';
import { countInWords } from './words';

export type History = ReturnType<typeof useHistory>;

/** What was done, newest first, and how it is taken back. */
export function useHistory() {
  const result = useInfiniteQuery(historyQuery());
  const rows = useMemo(() => once(result.data?.pages.flat() ?? []), [result.data]);
  const write = useWrite('inbox_undo');
  const again = useUndo('inbox_redo');

  const undo = (row: OperationRow) => {
    if (!row.undoable || row.undone) {
      const why = row.undone ? 'This is undone already' : 'This cannot be undone any more';
      toastDone(why);
      announce(why);
      return;
    }
    write.mutate(
      { operationId: row.id },
      {
        onSuccess: (done) => {
          const what = `${done.label}, ${countInWords(done.changed)}`;
          toastDone(what);
          announce(`${what}.${keyHint('redo', 'redo')}`);
        },
        onError: (error) => toastError('It was not undone', error),
      },
    );
  };
  const redo = () =>
    again.mutate(undefined, {
      onSuccess: (done) => {
        toastDone(done.label);
        announce(done.label);
      },
      onError: (error) => toastError('Redo did not work', error),
    });

  return {
    rows,
    undo,
    redo,
    undoing: write.isPending ? (write.variables.operationId ?? null) : null,
    loading: result.isPending,
    error: result.error as DevRigError | null,
    readAt: result.dataUpdatedAt,
    more: result.hasNextPage,
    loadingMore: result.isFetchingNextPage,
    loadMore: () => {
      if (result.hasNextPage && !result.isFetchingNextPage && !result.isFetchNextPageError) void result.fetchNextPage();
    },
    retry: () => void (result.isFetchNextPageError ? result.fetchNextPage() : result.refetch()),
  };
}

/** A row that moved to the next page between two reads is in both. */
function once(rows: readonly OperationRow[]): OperationRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
