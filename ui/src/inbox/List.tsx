import { useVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState, type MouseEvent } from 'react';

import { ErrorNote } from '../components/ErrorNote';
import { LoadingRows } from '../components/Loading';
import { exactTime } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { InboxStats, PluginInfo } from '../platform/wire';
import { useAppearance } from '../settings/appearance';
import { EmptyByFilter, EmptyView } from './Empty';
import { shiftOf } from './focus';
import { Row, rowId } from './Row';
import { SourceNotice } from './SourceNotice';
import { toggleChecked, useInbox } from './state';
import type { InboxList } from './useInboxList';
import { retryOutbox } from './retryOutbox';
import type { View } from './views';

type Props = {
  list: InboxList;
  view: View;
  filter: string;
  stats: InboxStats | undefined;
  plugins: readonly PluginInfo[];
  onFilter: (filter: string) => void;
  onOpen: (id: string) => void;
  onView: (id: string) => void;
};

/** The list in each of its states: loading, failed, empty, or rows. */
export function List(props: Props) {
  const { list, view, filter, stats, onFilter, onView } = props;
  if (list.rows.length > 0) {
    return (
      <>
        <SourceNotice view={view} />
        {list.error && <ErrorNote className="m-2" title="The list could not be read again" error={list.error} stillTrue={`Showing items as of ${exactTime(list.readAt)}.`} onRetry={list.retry} />}
        <Rows {...props} />
      </>
    );
  }
  if (list.error) return <ErrorNote className="m-3" title="The list could not be read" error={list.error} onRetry={list.retry} />;
  if (list.loading) return <LoadingRows label="Loading items" />;
  return (
    <>
      <SourceNotice view={view} />
      {filter === '' ? <EmptyView view={view} stats={stats} onView={onView} /> : <EmptyByFilter filter={filter} onFilter={onFilter} />}
    </>
  );
}

function Rows({ list, onOpen }: Props) {
  const { rows, ids, focusId } = list;
  const now = useNow();
  const { density, textSize } = useAppearance();
  const height = Math.round((density === 'comfortable' ? 56 : 36) * (textSize / 100));
  const checked = useInbox((state) => state.checked);
  const whole = useInbox((state) => state.whole === list.query);
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react/incompatible-library -- rows are memoised by their own props
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 10 });
  const { above, toTop } = useSteadyScroll(scroller, ids, focusId, height);

  useLayoutEffect(() => virtual.measure(), [height, virtual]);
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useLayoutEffect(() => {
    if (list.more && lastShown > rows.length - 30) list.loadMore();
  });

  const onClick = (event: MouseEvent) => {
    const target = event.target as Element;
    const id = target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (!id) return;
    const part = target.closest<HTMLElement>('[data-part]')?.dataset['part'];
    if (part === 'check' || event.ctrlKey || event.metaKey) toggleChecked(id);
    else if (part === 'retry') retryOutbox(id);
    else onOpen(id);
  };
  const setSize = list.total === null || list.capped ? -1 : Math.max(list.total, rows.length);
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {above > 0 && (
        <button type="button" onClick={toTop} className="absolute top-2 left-1/2 z-10 h-6 -translate-x-1/2 rounded-full border border-line bg-bg1 px-3 text-sec text-acc shadow-layer hover:bg-bg2">
          {above} new above
        </button>
      )}
      <div ref={scroller} className="@container min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]" tabIndex={-1}>
        {/* Keys are heard on the window, so that they work wherever the focus rests. */}
        {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events */}
        <div
          role="listbox"
          aria-label="Items"
          aria-multiselectable
          aria-activedescendant={focusId === null ? undefined : rowId(focusId)}
          tabIndex={0}
          data-region-stop
          onClick={onClick}
          style={{ height: virtual.getTotalSize() }}
          className="relative outline-none"
        >
          {items.map(({ index, start }) => {
            const item = rows[index];
            return item && (
              <Row key={item.id} item={item} index={index} setSize={setSize} focused={item.id === focusId} checked={whole || checked.has(item.id)} comfortable={density === 'comfortable'} now={now} top={start} height={height} />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/**
 * Keeps what the person looks at where it is: rows that come or go above it scroll the list by as much.
 * `above` counts those that came and have not been seen.
 */
function useSteadyScroll(scroller: React.RefObject<HTMLDivElement | null>, ids: readonly string[], focusId: string | null, height: number) {
  const before = useRef(ids);
  const [above, setAbove] = useState(0);

  useLayoutEffect(() => {
    const element = scroller.current;
    const old = before.current;
    before.current = ids;
    if (!element || old === ids) return;
    const top = Math.floor(element.scrollTop / height);
    const bottom = top + Math.ceil(element.clientHeight / height);
    const at = focusId === null ? -1 : old.indexOf(focusId);
    const shift = shiftOf(old, ids, at >= top && at < bottom ? focusId : (old[top] ?? null));
    // A focus that was just moved to a row which came back is brought into view below instead.
    if (shift === 0 || (at < 0 && focusId !== null && ids.includes(focusId))) return;
    element.scrollTop += shift * height;
    if (shift > 0) setAbove((count) => count + shift);
  }, [scroller, ids, focusId, height]);

  useLayoutEffect(() => {
    const element = scroller.current;
    const at = focusId === null ? -1 : ids.indexOf(focusId);
    if (!element || at < 0) return;
    if (at * height < element.scrollTop) element.scrollTop = at * height;
    else if ((at + 1) * height > element.scrollTop + element.clientHeight) element.scrollTop = (at + 1) * height - element.clientHeight;
    // Only a move of the focus scrolls; new rows do not pull the list back to it.
    // eslint-disable-next-line react/exhaustive-deps
  }, [focusId, height]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => setAbove((count) => Math.min(count, Math.floor(element.scrollTop / height)));
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [scroller, height]);

  return { above, toTop: () => scroller.current?.scrollTo({ top: 0 }) };
}
