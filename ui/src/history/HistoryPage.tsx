import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';

import { pluginsQuery } from '../api/queries';
import { Button } from '../components/Button';
import { ErrorNote } from '../components/ErrorNote';
import { LoadingRows } from '../components/Loading';
import { useCommands } from '../keys/commands';
import { exactTime } from '../lib/time';
import { useNow } from '../lib/useNow';
import { HistoryRow } from './HistoryRow';
import { useHistory, type History } from './useHistory';
import { byDay, whoInWords } from './words';

/** This many rows before the end, older ones are read. */
const AHEAD = 10;

/** Everything that was done to items, by whom, and the way back. */
export default function HistoryPage() {
  const history = useHistory();
  return (
    <section aria-label="History" data-region="pane" className="flex min-h-0 min-w-0 flex-1 flex-col bg-bg1">
      <header className="flex h-10 shrink-0 items-center border-b border-line px-6">
        <h1 className="text-ui font-semibold">History</h1>
      </header>
      <Content history={history} />
    </section>
  );
}

function Content({ history }: { history: History }) {
  const { rows, error, loading, readAt, retry } = history;
  if (rows.length === 0) {
    if (error) return <ErrorNote className="m-3" title="The history could not be read" error={error} onRetry={retry} />;
    if (loading) return <LoadingRows label="Loading the history" />;
    return (
      <div className="m-auto p-6 text-center">
        <p className="text-pane font-medium">Nothing was done yet</p>
        <p className="mt-1 text-t2">What you, a rule or a plugin does to items is listed here for 30 days, and can be undone.</p>
      </div>
    );
  }
  return (
    <>
      {error && <ErrorNote className="m-2" title="The history could not be read again" error={error} stillTrue={`Showing it as of ${exactTime(readAt)}.`} onRetry={retry} />}
      <Days history={history} />
    </>
  );
}

/** A grid with one tab stop: the row in focus, which is kept by its id while others come. */
function Days({ history }: { history: History }) {
  const { rows, undo, redo, loadMore } = history;
  const now = useNow();
  const { data: plugins = [] } = useQuery(pluginsQuery());
  const days = useMemo(() => byDay(rows, now), [rows, now]);
  const scroller = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  const at = Math.max(0, rows.findIndex((row) => row.id === wanted));
  const focused = rows[at]!;

  const goTo = (index: number) => {
    const to = Math.min(rows.length - 1, Math.max(0, index));
    setWanted(rows[to]!.id);
    rowElement(scroller.current, rows[to]!.id)?.focus();
    if (to >= rows.length - AHEAD) loadMore();
  };
  useCommands({
    next: () => goTo(at + 1),
    previous: () => goTo(at - 1),
    pageDown: () => goTo(at + 12),
    pageUp: () => goTo(at - 12),
    first: () => goTo(0),
    last: () => goTo(rows.length - 1),
    undo: () => undo(focused),
    redo,
  });
  // The rows have the keys from the start, without a first click.
  useEffect(() => {
    if (document.activeElement === document.body || !document.activeElement) rowElement(scroller.current, focused.id)?.focus();
    // eslint-disable-next-line react/exhaustive-deps -- once, when the first rows are there
  }, []);

  return (
    <div ref={scroller} role="grid" aria-label="What was done" aria-rowcount={-1} className="min-h-0 flex-1 overflow-y-auto pb-4">
      {days.map((day) => (
        <div key={day.name} role="rowgroup" aria-label={day.name}>
          <div role="row" className="sticky top-0 z-10 flex h-7 items-center bg-bg1 px-6 text-sec font-medium text-t2">
            <span role="gridcell" className="flex-1">
              {day.name}
            </span>
          </div>
          {day.rows.map((row) => (
            <HistoryRow key={row.id} row={row} who={whoInWords(row, plugins)} focused={row === focused} busy={history.undoing === row.id} onFocus={() => setWanted(row.id)} onUndo={() => undo(row)} />
          ))}
        </div>
      ))}
      <Older history={history} />
    </div>
  );
}

function rowElement(within: HTMLElement | null, id: string): HTMLElement | undefined {
  return [...(within?.querySelectorAll<HTMLElement>('[data-operation]') ?? [])].find((element) => element.dataset['operation'] === id);
}

/** Grid rows that are no operations would be counted as such, so the end of the list is one of them. */
function Older({ history }: { history: History }) {
  if (!history.more) return null;
  return (
    <div role="row" className="flex justify-center pt-3">
      <span role="gridcell">
        <Button disabled={history.loadingMore} onClick={history.loadMore}>
          {history.loadingMore ? 'Reading…' : 'Show older'}
        </Button>
      </span>
    </div>
  );
}
