import { useQueryClient } from '@tanstack/react-query';

import { call, platform } from '../api/client';
import { useOperate, useUndo } from '../api/mutations';
import { announce } from '../components/live';
import { toastDone, toastError } from '../components/toast';
import { keyHint } from '../keys/keymap';
import type { OperationKind, Target } from '../platform/wire';
import { toError } from '../platform/platform';
import { afterLeaving, type AfterTriage } from './focus';
import { clearChecked, focusRow, useInbox } from './state';
import type { InboxList } from './useInboxList';

/** Operations after which the item is elsewhere, so that they deserve a toast. */
const MOVES: ReadonlySet<OperationKind['kind']> = new Set(['done', 'notDone', 'snooze', 'unsnooze', 'mute', 'unmute']);

export type Triage = ReturnType<typeof useTriage>;

/** What the triage keys do, on the selection where there is one, else on the row in focus. */
export function useTriage(list: InboxList, way: AfterTriage) {
  const client = useQueryClient();
  const operate = useOperate();
  const undo = useUndo('inbox_undo');
  const redo = useUndo('inbox_redo');

  const target = (): Target | null => {
    const { checked, whole } = useInbox.getState();
    if (whole !== null) return { query: whole };
    if (checked.size > 0) return { ids: [...checked] };
    return list.focusId === null ? null : { ids: [list.focusId] };
  };

  /** `quiet` leaves out the toast: for what the person sees happening in the row. */
  const run = (operation: OperationKind, on: Target | null = target(), quiet = !MOVES.has(operation.kind)) => {
    if (on === null) return;
    if (MOVES.has(operation.kind)) {
      const leaving = new Set('ids' in on ? on.ids : list.ids);
      focusRow(afterLeaving(list.ids, leaving, list.focusId, way));
      useInbox.setState({ reading: false });
    }
    clearChecked();
    operate.mutate(
      { operation, target: on },
      {
        onSuccess: async (done) => {
          if (done.changed === 0) {
            announce('Nothing changed');
            return;
          }
          const what = done.changed > 1 ? `${done.label}: ${done.changed} items` : done.label;
          if (!quiet) toastDone(what, true);
          const left = await call('inbox_count', { query: list.query }).catch(() => null);
          announce(`${what}.${left ? ` ${left.count}${left.capped ? ' or more' : ''} left.` : ''}${keyHint('undo', 'undo')}`);
        },
      },
    );
  };

  /** One direction where any target still needs it, the other where all have it. */
  const toggle = (has: (item: InboxList['rows'][number]) => boolean, on: OperationKind, off: OperationKind) => {
    const to = target();
    if (to === null) return;
    const rows = list.rows.filter((item) => 'query' in to || to.ids.includes(item.id));
    run(rows.length > 0 && rows.every(has) ? off : on, to);
  };

  const reverse = (which: typeof undo) => {
    which.mutate(undefined, {
      onSuccess: (done) => {
        const first = done.items[0];
        if (first) focusRow(first.id);
        const what = done.changed > 1 ? `${done.label} (${done.changed} items)` : done.label;
        toastDone(what);
        announce(what);
        void client.invalidateQueries({ queryKey: ['count'] });
      },
      onError: (error) => toastError(which === undo ? 'Undo did not work' : 'Redo did not work', error),
    });
  };

  return {
    run,
    done: () => toggle((item) => item.triage.doneAt !== null, { kind: 'done' }, { kind: 'notDone' }),
    star: () => toggle((item) => item.triage.starredAt !== null, { kind: 'star' }, { kind: 'unstar' }),
    read: () => toggle((item) => item.triage.readAt !== null, { kind: 'read' }, { kind: 'unread' }),
    mute: () => toggle((item) => item.triage.muted, { kind: 'mute' }, { kind: 'unmute' }),
    snooze: (until: string) => run({ kind: 'snooze', until }),
    wake: () => run({ kind: 'unsnooze' }),
    undo: () => reverse(undo),
    redo: () => reverse(redo),
    /** Opening an item marks it read; looking at it does not. */
    markRead: (id: string) => {
      const item = list.rows.find((row) => row.id === id);
      if (item && item.triage.readAt === null) operate.mutate({ operation: { kind: 'read' }, target: { ids: [id] } });
    },
    openSource: (id: string) => {
      call('inbox_open', { id }).catch((thrown: unknown) => toastError('It was not opened', toError(thrown)));
    },
    openUrl: (url: string) => {
      platform()
        .openUrl(url)
        .catch((thrown: unknown) => toastError('The link was not opened', toError(thrown)));
    },
  };
}
