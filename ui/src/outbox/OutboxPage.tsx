import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { engineQuery, pluginsQuery } from '../api/queries';
import { ErrorNote } from '../components/ErrorNote';
import { LoadingRows } from '../components/Loading';
import { resolved } from '../inbox/focus';
import { showItem } from '../inbox/state';
import { useCommands } from '../keys/commands';
import { exactTime } from '../lib/time';
import { OutboxEntry } from './OutboxEntry';
import { useNowOf, useOutbox, type Outbox } from './useOutbox';
import { sectionsOf, standingOf } from './words';

/** Everything that was asked of the sources and is not through. */
export default function OutboxPage() {
  const outbox = useOutbox();
  return (
    <section aria-label="Outbox" data-region="pane" className="flex min-h-0 min-w-0 flex-1 flex-col bg-bg1">
      <header className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-6">
        <h1 className="text-ui font-semibold">Outbox</h1>
        {outbox.rows.length > 0 && <span className="tnum text-sec text-t2">{outbox.rows.length.toLocaleString('en')}</span>}
      </header>
      <Content outbox={outbox} />
    </section>
  );
}

function Content({ outbox }: { outbox: Outbox }) {
  const { rows, error, loading, readAt, reload } = outbox;
  if (rows.length === 0) {
    if (error) return <ErrorNote className="m-3" title="The outbox could not be read" error={error} onRetry={reload} />;
    if (loading) return <LoadingRows label="Loading the outbox" />;
    return (
      <div role="status" className="m-auto p-6 text-center">
        <p className="text-pane font-medium">Nothing waits to be sent</p>
        <p className="mt-1 text-t2">What you ask of a source rests here for five seconds, and until the source can be reached.</p>
      </div>
    );
  }
  return (
    <>
      {error && <ErrorNote className="m-2" title="The outbox could not be read again" error={error} stillTrue={`Showing it as of ${exactTime(readAt)}.`} onRetry={reload} />}
      <Entries outbox={outbox} />
    </>
  );
}

/** A grid with one tab stop: the row in focus and its buttons. The focus is kept by id; a row that goes leaves it to the next. */
function Entries({ outbox }: { outbox: Outbox }) {
  const navigate = useNavigate();
  const { data: plugins = [] } = useQuery(pluginsQuery());
  const { data: engine } = useQuery(engineQuery());
  const now = useNowOf(outbox.rows);
  const sections = sectionsOf(outbox.rows, plugins);
  const entries = sections.flatMap((section) => section.entries);
  const ids = entries.map((entry) => entry.row.id);
  const scroller = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<{ id: string; index: number } | null>(null);
  const focusId = resolved(ids, wanted?.id ?? null, wanted?.index ?? 0);
  const at = focusId === null ? 0 : ids.indexOf(focusId);
  const focused = entries[at]!.row;

  const goTo = (index: number) => {
    const to = Math.min(ids.length - 1, Math.max(0, index));
    setWanted({ id: ids[to]!, index: to });
    rowElement(scroller.current, ids[to]!)?.focus();
  };
  const open = (itemId: string | null) => {
    if (itemId === null) return undefined;
    return () => {
      showItem(itemId);
      void navigate({ to: '/inbox', search: { view: 'all', item: itemId } });
    };
  };
  useCommands({
    next: () => goTo(at + 1),
    previous: () => goTo(at - 1),
    pageDown: () => goTo(at + 12),
    pageUp: () => goTo(at - 12),
    first: () => goTo(0),
    last: () => goTo(ids.length - 1),
    open: open(focused.itemId),
    cancelSending: outbox.cancel(focused),
    sendAgain: outbox.retry(focused),
    discard: outbox.discard(focused),
  });
  // The rows have the keys from the start, and after the row in focus has gone or moved to another section.
  useEffect(() => {
    if (document.activeElement === document.body || !document.activeElement) rowElement(scroller.current, focused.id)?.focus();
  });

  return (
    <div ref={scroller} role="grid" aria-label="What waits to be sent" className="min-h-0 flex-1 overflow-y-auto pb-4">
      {sections.map((section) => (
        <div key={section.id} role="rowgroup" aria-label={section.name}>
          <div role="row" className="sticky top-0 z-10 flex h-7 items-center bg-bg1 px-6 text-sec font-medium text-t2">
            <span role="gridcell" className="flex-1">
              {section.name}
            </span>
            <span role="gridcell" className="tnum font-normal">
              {section.entries.length}
            </span>
          </div>
          {section.entries.map((entry) => (
            <OutboxEntry
              key={entry.row.id}
              entry={entry}
              standing={standingOf(entry, now, engine?.online ?? true)}
              focused={entry.row.id === focused.id}
              busy={outbox.busy === entry.row.id}
              onFocus={() => setWanted({ id: entry.row.id, index: ids.indexOf(entry.row.id) })}
              onOpen={open(entry.row.itemId)}
              onCancel={outbox.cancel(entry.row)}
              onRetry={outbox.retry(entry.row)}
              onDiscard={outbox.discard(entry.row)}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

function rowElement(within: HTMLElement | null, id: string): HTMLElement | undefined {
  return [...(within?.querySelectorAll<HTMLElement>('[data-outbox]') ?? [])].find((element) => element.dataset['outbox'] === id);
}
