import { useLayoutEffect, useMemo, type MouseEvent } from 'react';

import { useNow } from '../lib/useNow';
import { useAppearance } from '../settings/appearance';
import { GroupHeader } from './GroupHeader';
import { cutInWords } from './grouping';
import { retryOutbox } from './retryOutbox';
import { Row, rowId } from './Row';
import { evenLayout, groupedLayout } from './rowLayout';
import { heightOf } from './scale';
import { toggleAll, toggleChecked, useInbox } from './state';
import type { InboxList } from './useInboxList';
import { useScroll } from './useScroll';
import { useSteadyScroll } from './useSteadyScroll';

/** Rows that are drawn above and below those on screen. */
const SPARE = 10;

/** The rows on screen and a few around them, alone or under the headers of their groups. */
export function Rows({ list, onOpen }: { list: InboxList; onOpen: (id: string) => void }) {
  const { rows, ids, groups, focusId, atHead } = list;
  const now = useNow();
  const { density, textSize } = useAppearance();
  const height = Math.round((density === 'comfortable' ? 56 : 36) * (textSize / 100));
  const header = Math.round(28 * (textSize / 100));
  const checked = useInbox((state) => state.checked);
  const whole = useInbox((state) => state.whole === list.query);
  const start = groups ? 0 : list.start;
  const length = groups ? rows.length : lengthOf(list);
  const even = useMemo(() => evenLayout(start ?? 0, length, height), [start, length, height]);
  const boxed = useMemo(() => groups && groupedLayout(groups.map((group) => group.items.length), height, header), [groups, height, header]);
  const layout = boxed ?? even;
  const { scroller, scroll, drawn } = useScroll(layout.extent, height);
  const above = useSteadyScroll(scroller, scroll, { ids, layout, atHead }, focusId) + list.newer;
  useLayoutEffect(() => list.show(layout.rowAt(scroll.top()), layout.rowAt(scroll.top() + scroll.view())));

  const first = Math.max(0, layout.rowAt(drawn.from) - SPARE);
  const end = Math.max(first, Math.min(rows.length, layout.rowAt(drawn.until) + SPARE));
  const at = focusId === null ? -1 : ids.indexOf(focusId);
  const setSize = start === null || (!groups && (list.capped || list.total === null)) ? -1 : length;
  const isChecked = (id: string) => whole || checked.has(id);
  /** The rows from one to another, placed from where their element begins. */
  const rowsOf = (from: number, until: number, begin: number) =>
    rows.slice(from, until).map((item, n) => (
      <Row
        key={item.id}
        item={item}
        place={start === null ? null : start + from + n + 1}
        setSize={setSize}
        focused={item.id === focusId}
        checked={isChecked(item.id)}
        comfortable={density === 'comfortable'}
        now={now}
        top={layout.topOf(from + n) - begin}
        height={height}
      />
    ));
  const onClick = (event: MouseEvent) => {
    const target = event.target as Element;
    const id = target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    const part = target.closest<HTMLElement>('[data-part]')?.dataset['part'];
    const group = groups?.find(({ key }) => key === target.closest<HTMLElement>('[data-group]')?.dataset['group']);
    if (group && part === 'group') toggleAll(group.items.map((item) => item.id));
    if (!id) return;
    if (part === 'check' || event.ctrlKey || event.metaKey) toggleChecked(id);
    else if (part === 'retry') retryOutbox(id);
    else onOpen(id);
  };
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {above > 0 && (
        <button type="button" onClick={() => scroll.to(0)} className="absolute top-2 left-1/2 z-20 h-6 -translate-x-1/2 rounded-full border border-line bg-bg1 px-3 text-sec text-acc shadow-layer hover:bg-bg2">
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
          aria-activedescendant={focusId !== null && at >= first && at < end ? rowId(focusId) : undefined}
          tabIndex={0}
          data-region-stop
          onClick={onClick}
          style={{ height: heightOf(layout.extent) }}
          className="relative overflow-clip outline-none"
        >
          {boxed
            ? boxed.boxes.map((box, n) => {
                const { key, name, items } = groups![n]!;
                if (box.first >= end || box.first + box.count <= first) return null;
                return (
                  <div
                    key={key}
                    role="group"
                    aria-label={`${name}, ${box.count} item${box.count === 1 ? '' : 's'}`}
                    data-group={key}
                    style={{ top: box.top, height: box.height }}
                    className="absolute inset-x-0"
                  >
                    <GroupHeader name={name} count={box.count} checked={items.every((item) => isChecked(item.id))} height={header} />
                    {rowsOf(Math.max(first, box.first), Math.min(end, box.first + box.count), box.top)}
                  </div>
                );
              })
            : rowsOf(first, end, -drawn.shift)}
        </div>
        {list.cut && <p className="px-3 py-2 text-center text-sec text-t2">{cutInWords(list.total, list.capped)}</p>}
      </div>
    </div>
  );
}

/** How many rows the list is as high as: all, where their number is known, else those down to the last held one. */
function lengthOf({ start, rows, total, capped, atEnd }: InboxList): number {
  const held = (start ?? 0) + rows.length;
  return atEnd || start === null || total === null || capped ? held : Math.max(held, total);
}
