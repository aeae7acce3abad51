import type { KeyboardEvent } from 'react';

import { Button } from '../components/Button';
import { Chip } from '../components/Chip';
import { keyLabel } from '../keys/keymap';
import { cx } from '../lib/cx';
import { exactTime } from '../lib/time';
import type { OperationRow } from '../platform/wire';
import { clockTime, countInWords, itemsInWords } from './words';

type Props = { row: OperationRow; who: string; focused: boolean; busy: boolean; onFocus: () => void; onUndo: () => void };

/** One operation: when, what, on which items, by whom, and the way back. */
export function HistoryRow({ row, who, focused, busy, onFocus, onUndo }: Props) {
  const titles = itemsInWords(row);
  const undoKey = keyLabel('undo');
  const onKeyDown = (event: KeyboardEvent) => {
    // On the button inside, Enter is the button's own.
    if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
    event.preventDefault();
    onUndo();
  };
  return (
    <div
      role="row"
      data-operation={row.id}
      tabIndex={focused ? 0 : -1}
      {...(focused ? { 'data-region-stop': '' } : {})}
      aria-label={inWords(row, who)}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
      className={cx(
        'ring-inset-focus relative flex h-9 scroll-mt-7 items-center gap-3 px-6',
        focused ? 'bg-sel before:absolute before:inset-y-0 before:left-0 before:w-0.5 before:bg-acc' : 'hover:bg-bg2',
      )}
    >
      <span role="gridcell" className="w-10 shrink-0">
        <time dateTime={row.at} title={exactTime(row.at)} className="tnum text-sec text-t3">
          {clockTime(row.at)}
        </time>
      </span>
      <span role="gridcell" className="flex w-44 shrink-0 items-baseline gap-2">
        <span className={cx('truncate font-medium', row.undone && 'font-normal line-through')}>{row.label}</span>
        <span className="tnum shrink-0 text-sec text-t2">{countInWords(row.count)}</span>
      </span>
      <span role="gridcell" title={titles} className={cx('min-w-0 flex-1 truncate', row.undone ? 'text-t2' : 'text-t1')}>
        {titles}
      </span>
      <span role="gridcell" title={`by ${who}`} className={cx('w-[18%] max-w-64 min-w-28 shrink-0 truncate', row.actor === 'ai' ? 'text-ai' : 'text-t2')}>
        by {who}
      </span>
      <span role="gridcell" className="flex w-20 shrink-0 justify-end">
        {row.undone && <Chip>undone</Chip>}
        {row.undoable && !row.undone && (
          <Button kind="quiet" icon="undo" tabIndex={-1} disabled={busy} title={undoKey === undefined ? 'Undo' : `Undo (${undoKey})`} aria-label={`Undo: ${row.label}, ${countInWords(row.count)}`} onClick={onUndo}>
            Undo
          </Button>
        )}
      </span>
    </div>
  );
}

/** The whole row as a screen reader says it. */
function inWords(row: OperationRow, who: string): string {
  const state = row.undone ? 'Undone' : row.undoable ? null : 'Cannot be undone any more';
  return [row.label, countInWords(row.count), itemsInWords(row), `by ${who}`, clockTime(row.at), state].filter(Boolean).join('. ');
}
