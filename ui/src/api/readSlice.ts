import type { QueryClient } from '@tanstack/react-query';

import type { Page } from '../platform/wire';
import { call } from './client';
import { appended, fromEnd, fromHead, fromStart, instead, prepended, type Slice } from './slice';

/** Rows fetched at once: two screens of compact rows. */
export const PAGE = 100;
/** The engine gives no more at once. */
export const MOST = 500;

type Key = readonly ['items', string];
export const itemsKey = (query: string): Key => ['items', query];

/** Reads what is held again, or the beginning where nothing is. */
export async function readAgain(query: string, held: Slice | undefined): Promise<Slice> {
  if (!held || held.rows.length === 0) return readDown(query, null, PAGE, 0);
  const length = Math.max(PAGE, held.rows.length);
  if (held.before === null) return readDown(query, null, length, 0);
  // Pages begin after their cursor, so that of the row above is needed.
  const above = await call('inbox_list', { query, cursor: held.before, backward: true, limit: 1 });
  const from = above.items.at(-1);
  return instead(held, await (from ? readDown(query, from.position, length, held.start) : readDown(query, null, length, 0)));
}

async function readDown(query: string, cursor: string | null, length: number, start: number | null): Promise<Slice> {
  const read = (from: string | null, limit: number) => call('inbox_list', { query, cursor: from, limit: Math.min(MOST, limit) });
  const first = await read(cursor, length);
  let slice: Slice = { ...fromHead(first), start, before: cursor === null ? null : (first.items[0]?.position ?? cursor) };
  while (slice.after !== null && slice.rows.length < length) {
    slice = appended(slice, await read(slice.after, length - slice.rows.length));
  }
  return slice;
}

export const readHead = (query: string): Promise<Page> => call('inbox_list', { query, cursor: null, limit: PAGE });

/** Reads on at one end of the slice. An answer that the slice no longer waits for is dropped. */
export async function extend(client: QueryClient, query: string, end: 'before' | 'after', limit = PAGE): Promise<void> {
  const cursor = client.getQueryData<Slice>(itemsKey(query))?.[end] ?? null;
  if (cursor === null) return;
  const page = await call('inbox_list', { query, cursor, backward: end === 'before', limit });
  client.setQueryData<Slice>(itemsKey(query), (slice) => {
    if (slice?.[end] !== cursor) return slice;
    return end === 'before' ? prepended(slice, page) : appended(slice, page);
  });
}

/** Reads the rows around a place, from the nearer end of the order. */
export async function readAround(query: string, place: number | 'last', total: number | null): Promise<Slice> {
  const start = place === 'last' ? Number.POSITIVE_INFINITY : Math.max(0, place - PAGE / 2);
  const behind = total === null ? 0 : Math.max(0, total - start - PAGE);
  if (place === 'last' || (total !== null && behind < start)) {
    return fromEnd(await call('inbox_list', { query, cursor: null, backward: true, skip: behind, limit: PAGE }), behind, total);
  }
  const page = await call('inbox_list', { query, cursor: null, skip: start, limit: PAGE });
  // Fewer rows than were thought to be there.
  return page.items.length === 0 && start > 0 ? readAround(query, 'last', total) : fromStart(page, start);
}

/** Puts another slice in the place of the held one, whatever is being read of that. */
export async function replace(client: QueryClient, query: string, slice: Slice): Promise<void> {
  await client.cancelQueries({ queryKey: itemsKey(query), exact: true });
  client.setQueryData<Slice>(itemsKey(query), (old) => instead(old, slice));
}
