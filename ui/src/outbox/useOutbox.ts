import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { useWrite } from '../api/mutations';
import { outboxQuery } from '../api/queries';
import { announce } from '../components/live';
import { toastDone } from '../components/toast';
import type { OutboxRow } from '../platform/wire';
import { canRetry, isStuck, nextDue } from './words';

const NONE: readonly OutboxRow[] = [];

export type Outbox = ReturnType<typeof useOutbox>;

/** What waits towards the sources, and what can be done with an action that is not through. */
export function useOutbox() {
  const result = useQuery(outboxQuery());
  const rows = result.data ?? NONE;
  const cancel = useWrite('outbox_cancel', 'It was not cancelled');
  const retry = useWrite('outbox_retry', 'It was not sent again');
  const discard = useWrite('outbox_discard', 'It was not discarded');
  const does = (write: typeof cancel, applies: (row: OutboxRow) => boolean, words: string) => (row: OutboxRow) => {
    if (!applies(row)) return undefined;
    return () =>
      write.mutate(
        { id: row.id },
        {
          onSuccess: () => {
            toastDone(words);
            announce(words);
          },
        },
      );
  };
  return {
    rows,
    loading: result.isPending,
    error: result.error,
    readAt: result.dataUpdatedAt,
    reload: () => void result.refetch(),
    busy: [cancel, retry, discard].find((write) => write.isPending)?.variables?.id ?? null,
    /** Each is undefined where it does not apply to the row. */
    cancel: does(cancel, (row) => row.state === 'waiting', 'Cancelled'),
    retry: does(retry, canRetry, 'It is being sent again'),
    discard: does(discard, isStuck, 'Taken off the list'),
  };
}

/** The time, which is read again when the next action is due. */
export function useNowOf(rows: readonly OutboxRow[]): number {
  const [now, setNow] = useState(() => Date.now());
  const due = nextDue(rows, now);
  useEffect(() => {
    if (due === null) return undefined;
    const timer = setTimeout(() => setNow(Date.now()), Math.max(0, due - Date.now()) + 50);
    return () => clearTimeout(timer);
  }, [due]);
  return now;
}
