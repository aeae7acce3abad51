import { useLayoutEffect, useRef, useState, type RefObject } from 'react';

import { cameAbove } from './focus';
import type { RowLayout } from './rowLayout';
import type { Scroll } from './useScroll';

type Shown = { ids: readonly string[]; layout: RowLayout; atHead: boolean };

/**
 * Keeps what the person looks at where it is: rows that come or go above it scroll the list by as much.
 * A focus that moves is brought into view. `above` counts the rows that came and have not been seen.
 */
export function useSteadyScroll(scroller: RefObject<HTMLElement | null>, scroll: Scroll, shown: Shown, focusId: string | null) {
  const { ids, layout, atHead } = shown;
  const before = useRef(shown);
  const [above, setAbove] = useState(0);

  useLayoutEffect(() => {
    const old = before.current;
    before.current = { ids, layout, atHead };
    if (old.ids === ids && old.layout === layout) return;
    const top = old.layout.rowAt(scroll.top());
    const bottom = old.layout.rowAt(scroll.top() + scroll.view());
    const at = focusId === null ? -1 : old.ids.indexOf(focusId);
    // A focus that was just moved to a row which came back is brought into view below instead.
    if (at < 0 && focusId !== null && ids.includes(focusId)) return;
    const anchor = at >= top && at < bottom ? focusId : (old.ids[top] ?? null);
    const was = anchor === null ? -1 : old.ids.indexOf(anchor);
    const is = anchor === null ? -1 : ids.indexOf(anchor);
    if (was < 0 || is < 0 || old.layout.rowHeight !== layout.rowHeight) return;
    const by = layout.topOf(is) - old.layout.topOf(was);
    if (by !== 0) scroll.to(scroll.top() + by);
    // Rows that were read on upwards are not new.
    const came = cameAbove(old.ids, ids, anchor);
    if (came > 0 && old.atHead && atHead) setAbove((count) => count + came);
  }, [ids, layout, atHead, focusId, scroll]);

  // A move of the focus scrolls, and another kind of layout; new rows do not pull the list back to it.
  const revealed = useRef({ focusId: null as string | null, rowHeight: 0, covered: 0 });
  useLayoutEffect(() => {
    const at = focusId === null ? -1 : ids.indexOf(focusId);
    const { rowHeight, covered } = layout;
    const last = revealed.current;
    if (at < 0 || scroll.view() === 0 || (last.focusId === focusId && last.rowHeight === rowHeight && last.covered === covered)) return;
    revealed.current = { focusId, rowHeight, covered };
    const top = layout.topOf(at);
    if (top - covered < scroll.top()) scroll.to(top - covered);
    else if (top + rowHeight > scroll.top() + scroll.view()) scroll.to(top + rowHeight - scroll.view());
  });

  // What has come into view is new no more.
  useLayoutEffect(() => {
    const element = scroller.current;
    const onScroll = () => setAbove((count) => Math.min(count, Math.max(0, before.current.layout.rowAt(scroll.top()))));
    element?.addEventListener('scroll', onScroll, { passive: true });
    return () => element?.removeEventListener('scroll', onScroll);
  }, [scroller, scroll]);

  return above;
}
