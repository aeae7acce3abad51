import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { HIGHEST, movedTo, placed, scrolled, type Scale, type ScrollPlace } from './scale';

/** After this long without a scroll, the bar of a very long list is put where it belongs. */
const REST_MS = 150;

export type Scroll = {
  /** How many pixels of rows are above the upper edge, at this moment. */
  top: () => number;
  /** How many pixels are on screen. */
  view: () => number;
  to: (top: number) => void;
};

/** What of the rows is to be drawn, and what to add to the place of a row to have its place in the element. */
export type ScrollWindow = { from: number; until: number; shift: number };

/** An element that scrolls over `extent` pixels of rows, though it may not be as high as that. */
export function useScroll(extent: number, step: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const scale = useRef<Scale>({ extent, view: 0 });
  const place = useRef<ScrollPlace>({ bar: 0, top: 0 });
  // It changes once a row at most, so that rows are not drawn anew at every pixel.
  const [seen, setSeen] = useState({ from: 0, view: 0, shift: 0 });

  const show = useCallback(() => {
    const { bar, top } = place.current;
    const next = { from: Math.floor(top / step) * step, view: scale.current.view, shift: Math.round(bar - top) };
    setSeen((old) => (old.from === next.from && old.view === next.view && old.shift === next.shift ? old : next));
  }, [step]);

  const put = useCallback(
    (next: ScrollPlace) => {
      const element = scroller.current;
      if (!element) return;
      if (element.scrollTop !== next.bar) element.scrollTop = next.bar;
      // What the element made of it: it rounds, and stops at its end.
      const bar = element.scrollTop;
      place.current = { bar, top: scale.current.extent <= HIGHEST ? bar : next.top };
      show();
    },
    [show],
  );

  useLayoutEffect(() => {
    const before = scale.current;
    scale.current = { ...before, extent };
    const scaledNow = extent > HIGHEST !== before.extent > HIGHEST;
    if (scaledNow || place.current.top > extent - before.view) put(placed(scale.current, place.current.top));
    else show();
  }, [extent, put, show]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => {
      scale.current = { ...scale.current, view: element.clientHeight };
      show();
    };
    let rest: ReturnType<typeof setTimeout> | undefined;
    const onScroll = () => {
      const next = scrolled(scale.current, place.current, element.scrollTop);
      put(next);
      clearTimeout(rest);
      if (scale.current.extent > HIGHEST) rest = setTimeout(() => put(placed(scale.current, place.current.top)), REST_MS);
    };
    const observer = new ResizeObserver(measure);
    measure();
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      clearTimeout(rest);
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [put, show]);

  const scroll = useMemo(
    (): Scroll => ({ top: () => place.current.top, view: () => scale.current.view, to: (top) => put(movedTo(scale.current, place.current, top)) }),
    [put],
  );
  const drawn: ScrollWindow = { from: seen.from, until: seen.from + seen.view + step, shift: seen.shift };
  return { scroller, scroll, drawn };
}
