import type { Calls, ItemSummary, Page } from '../wire';

type Ask = Parameters<Calls['inbox_list']>[0];

/**
 * The page that was asked for, of `length` rows in their order. `atPlace` gives the first row that does
 * not lie before a cursor, or -1 behind the last one; `row` makes one row.
 */
export function pageOf({ cursor, limit, backward, skip }: Ask, length: number, atPlace: (cursor: string) => number, row: (n: number) => ItemSummary): Page {
  const size = limit ?? 50;
  const at = cursor ? atPlace(cursor) : -1;
  const place = at < 0 ? length : at;
  if (backward) {
    const end = cursor ? place : Math.max(0, length - (skip ?? 0));
    const start = Math.max(0, end - size);
    return page(start, end, start > 0 ? start : null);
  }
  // The row at the cursor was on the page before, if it is still there.
  const start = cursor ? (place < length && row(place).position === cursor ? place + 1 : place) : Math.min(length, skip ?? 0);
  const end = Math.min(length, start + size);
  return page(start, end, end < length ? end - 1 : null);

  function page(start: number, end: number, next: number | null): Page {
    const items = Array.from({ length: end - start }, (_, n) => row(start + n));
    return { items, next: next === null ? null : row(next).position, totalHint: length };
  }
}
