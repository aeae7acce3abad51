// A web view cuts an element off at some height (WebKit at 33,554,428 px, less than a million rows), so the
// scroll range of a very long list is shorter than its rows are high, and stands for them by proportion.

/** Below the limits of the web views, and below 2^24, up to where a transform's numbers hold every pixel. */
export const HIGHEST = 15_000_000;

/** How high the rows are together, and how much of them is seen at once, in pixels. */
export type Scale = { extent: number; view: number };

/** The element's `scrollTop`, and how many pixels of rows are above the upper edge. */
export type ScrollPlace = { bar: number; top: number };

/** How high the element that scrolls is to be. */
export function heightOf(extent: number): number {
  return Math.min(extent, HIGHEST);
}

function within(value: number, most: number): number {
  return Math.min(Math.max(0, value), Math.max(0, most));
}

/** So near to an end the bar and the rows go pixel by pixel; in between it is by proportion. */
const EDGE = 100_000;

/** Where the scrollbar stands when `top` is above the upper edge. */
export function placed(scale: Scale, top: number): ScrollPlace {
  const rows = Math.max(0, scale.extent - scale.view);
  const bar = heightOf(scale.extent) - scale.view;
  const to = within(top, rows);
  if (scale.extent <= HIGHEST || to <= EDGE) return { bar: to, top: to };
  if (to >= rows - EDGE) return { bar: bar - (rows - to), top: to };
  return { bar: Math.round(EDGE + ((to - EDGE) / (rows - 2 * EDGE)) * (bar - 2 * EDGE)), top: to };
}

/** The rows that a place of the bar stands for. */
function standsFor(scale: Scale, at: number): number {
  const rows = scale.extent - scale.view;
  const bar = HIGHEST - scale.view;
  if (at <= EDGE) return at;
  if (at >= bar - EDGE) return rows - (bar - at);
  return Math.round(EDGE + ((at - EDGE) / (bar - 2 * EDGE)) * (rows - 2 * EDGE));
}

/**
 * Where a scroll of the element leads. A small one, as of a wheel, moves the rows by as many pixels; a
 * large one, as of a dragged scrollbar, goes to the rows that the bar stands for.
 */
export function scrolled(scale: Scale, from: ScrollPlace, bar: number): ScrollPlace {
  if (scale.extent <= HIGHEST) return { bar, top: bar };
  const rows = scale.extent - scale.view;
  const by = bar - from.bar;
  if (Math.abs(by) > 2 * scale.view) return { bar, top: within(standsFor(scale, bar), rows) };
  const top = within(from.top + by, rows);
  // At an end of the bar there may be rows left, and the other way round.
  const atEnd = bar <= 0 || bar >= HIGHEST - scale.view || top === 0 || top === rows;
  return atEnd ? placed(scale, top) : { bar, top };
}

/** Goes to a place of the rows: near ones by as many pixels on the bar, so that small scrolls stay exact. */
export function movedTo(scale: Scale, from: ScrollPlace, top: number): ScrollPlace {
  const to = placed(scale, top);
  const bar = from.bar + to.top - from.top;
  const near = Math.abs(to.top - from.top) <= 2 * scale.view && bar > 0 && bar < heightOf(scale.extent) - scale.view;
  return near ? { bar, top: to.top } : to;
}
