import type { ItemSummary, Page } from '../platform/wire';
import { stillIn } from './triage';

/** The part of a list that is held: rows without a gap, out of an order that may be far longer. */
export type Slice = {
  rows: readonly ItemSummary[];
  /** How many rows lie before the first one; null where that is not known. */
  start: number | null;
  /** The cursor to read on upwards from; null when the first row is the first of all. */
  before: string | null;
  /** The cursor to read on downwards from; null when the last row is the last of all. */
  after: string | null;
  /** The newest place that was held when the first row of all was; null where that never was. */
  newest: string | null;
  /** Ids of what has come since to places before the slice. */
  newer: readonly string[];
};

const NEWER: readonly string[] = [];

/** More rows than this are not held: what is farthest from where one reads goes. */
export const HELD = 3000;

export function fromHead(page: Page): Slice {
  return { rows: page.items, start: 0, before: null, after: page.next, newest: null, newer: NEWER };
}

/** A page that was read backward, `skip` rows from the end; `total` is how many rows there are, where known. */
export function fromEnd(page: Page, skip: number, total: number | null): Slice {
  const start = page.next === null ? 0 : total === null ? null : Math.max(0, total - skip - page.items.length);
  return { ...fromHead(page), start, before: page.next, after: skip === 0 ? null : (page.items.at(-1)?.position ?? null) };
}

/** A page that was read from `start` rows after the beginning. */
export function fromStart(page: Page, start: number): Slice {
  return { ...fromHead(page), start, before: start === 0 ? null : (page.items[0]?.position ?? null) };
}

/** With the page that comes after it. Rows that are there already stay where they are. */
export function appended(slice: Slice, page: Page): Slice {
  const rows = [...slice.rows, ...notHeld(slice, page)];
  const over = Math.max(0, rows.length - HELD);
  const longer = { ...slice, rows, after: page.next };
  if (over === 0) return longer;
  const start = slice.start === null ? null : slice.start + over;
  return { ...longer, rows: rows.slice(over), start, before: rows[over]!.position, ...knownOfHead(slice) };
}

/** With the page that comes before it. */
export function prepended(slice: Slice, page: Page): Slice {
  const fresh = notHeld(slice, page);
  const start = page.next === null ? 0 : slice.start === null ? null : Math.max(0, slice.start - fresh.length);
  const longer = { ...slice, ...cutBelow([...fresh, ...slice.rows], slice.after), start, before: page.next };
  return page.next === null ? { ...longer, newer: NEWER } : longer;
}

/** The slice in the place of another, from which it keeps what is known of the head. */
export function instead(of: Slice | undefined, slice: Slice): Slice {
  return of && slice.before !== null ? { ...slice, ...knownOfHead(of) } : slice;
}

function knownOfHead(slice: Slice): Pick<Slice, 'newest' | 'newer'> {
  return slice.before === null ? { newest: slice.rows[0]?.position ?? null, newer: NEWER } : { newest: slice.newest, newer: slice.newer };
}

function notHeld(slice: Slice, page: Page): ItemSummary[] {
  const held = new Set(slice.rows.map((item) => item.id));
  return page.items.filter((item) => !held.has(item.id));
}

function cutBelow(rows: readonly ItemSummary[], after: string | null): Pick<Slice, 'rows' | 'after'> {
  return rows.length > HELD ? { rows: rows.slice(0, HELD), after: rows[HELD - 1]!.position } : { rows, after };
}

/**
 * Puts changed rows in the place of the old ones, and takes out what was removed or has left the
 * list's query. Rows keep their order: only a new answer of the engine moves them.
 */
export function patched(slice: Slice, query: string, changed: readonly ItemSummary[], removed: readonly string[]): Slice {
  const news = new Map(changed.map((item) => [item.id, item]));
  const gone = new Set(removed);
  const newer = newerWith(slice, query, news, gone);
  if (!slice.rows.some((item) => news.has(item.id) || gone.has(item.id))) return newer === slice.newer ? slice : { ...slice, newer };
  const rows = slice.rows
    .filter((item) => !gone.has(item.id))
    .map((item) => news.get(item.id) ?? item)
    .filter((item) => !news.has(item.id) || stillIn(query, item));
  return { ...slice, rows, newer };
}

function newerWith({ before, newest, newer }: Slice, query: string, news: ReadonlyMap<string, ItemSummary>, gone: ReadonlySet<string>): readonly string[] {
  if (before === null || newest === null) return newer;
  const come = [...news.values()].filter((item) => item.position > newest && stillIn(query, item)).map((item) => item.id);
  const stays = newer.filter((id) => !news.has(id) && !gone.has(id));
  return come.length === 0 && stays.length === newer.length ? newer : [...stays, ...come];
}

/** Whether the place of an item in the order is in the part that is held. */
export function reaches(slice: Slice, item: ItemSummary): boolean {
  return (slice.before === null || item.position <= slice.before) && (slice.after === null || item.position >= slice.after);
}

/** Whether rows changed that the slice may have to show and does not hold. */
export function mayBeMissing(slice: Slice, query: string, changed: readonly ItemSummary[]): boolean {
  const missing = new Set(changed.filter((item) => reaches(slice, item) && stillIn(query, item)).map((item) => item.id));
  if (missing.size > 0) for (const item of slice.rows) missing.delete(item.id);
  return missing.size > 0;
}

/**
 * Joins a fresh first page with the rows that are held below it, or null where the two do not meet.
 * A person far down a long list gets the news without all of it being read again.
 */
export function mergeHead(slice: Slice, head: Page): Slice | null {
  const last = head.items.at(-1);
  const meets = last && slice.before === null ? slice.rows.findIndex((item) => item.id === last.id) : -1;
  if (meets < 0) return null;
  const fresh = new Set(head.items.map((item) => item.id));
  const below = slice.rows.slice(meets + 1).filter((item) => !fresh.has(item.id));
  return { ...slice, ...cutBelow([...head.items, ...below], slice.after), start: 0, before: null };
}
