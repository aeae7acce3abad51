import { describe, expect, test } from 'vitest';

import { makeItems } from '../platform/fake/items';
import type { ItemSummary, Page } from '../platform/wire';
import { appended, fromEnd, fromHead, fromStart, HELD, instead, mayBeMissing, mergeHead, patched, prepended, reaches, type Slice } from './slice';
import { applied, stillIn } from './triage';

const items: ItemSummary[] = makeItems(6).filter((item) => item.triage.snoozedUntil === null);
const page = (rows: ItemSummary[], next: string | null = null): Page => ({ items: rows, next, totalHint: null });
const slice = (rows: ItemSummary[], more: Partial<Slice> = {}): Slice => ({ ...fromHead(page(rows)), ...more });
const ids = (of: Slice | null) => of?.rows.map((item) => item.id);
const done = (item: ItemSummary): ItemSummary => ({ ...item, triage: applied(item.triage, { kind: 'done' }, '2026-01-01T00:00:00.000Z') });

/** Rows `from` to `to` of a long order: the first is the newest, so its position is the greatest. */
const run = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => numbered(from + n));
const numbered = (n: number): ItemSummary => ({ ...items[0]!, id: `n${n}`, position: String(8_999_999 - n) });
const next = (rows: ItemSummary[]) => page(rows, rows.at(-1)!.position);
const previous = (rows: ItemSummary[]) => page(rows, rows[0]!.position);
const part = (from: number, to: number) => fromStart(next(run(from, to)), from);

describe('a slice', () => {
  test('begins at the head, at the end or in between', () => {
    expect(fromStart(next(run(0, 3)), 0)).toMatchObject({ rows: run(0, 3), start: 0, before: null, after: '8999997' });
    expect(part(5, 8)).toMatchObject({ start: 5, before: '8999994', after: '8999992' });
    expect(fromEnd(previous(run(7, 10)), 0, 10)).toMatchObject({ start: 7, before: '8999992', after: null });
    expect(fromEnd(previous(run(5, 8)), 2, 10)).toMatchObject({ start: 5, before: '8999994', after: '8999992' });
    expect(fromEnd(previous(run(7, 10)), 0, null).start).toBeNull();
    expect(fromEnd(page(run(0, 3)), 0, null)).toMatchObject({ start: 0, before: null, after: null });
  });

  test('grows at both ends', () => {
    const grown = prepended(appended(part(100, 200), next(run(200, 300))), previous(run(50, 100)));
    expect(grown).toMatchObject({ start: 50, before: numbered(50).position, after: numbered(299).position });
    expect(ids(grown)).toEqual(run(50, 300).map((item) => item.id));
  });

  test('lets go of what is farthest when it grows too long', () => {
    const full = part(0, HELD);
    const down = appended(full, next(run(HELD, HELD + 100)));
    expect(down.rows).toHaveLength(HELD);
    expect(down).toMatchObject({ start: 100, before: numbered(100).position, after: numbered(HELD + 99).position });
    const up = prepended(down, page(run(0, 100)));
    expect(up).toMatchObject({ rows: full.rows, start: 0, before: null, after: full.after });
  });

  test('keeps growing where its start is not known, until it reaches the head', () => {
    const end = fromEnd(previous(run(200, 300)), 0, null);
    const up = prepended(end, previous(run(100, 200)));
    expect(up.start).toBeNull();
    expect(prepended(up, page(run(0, 100)))).toMatchObject({ start: 0, before: null });
  });

  test('is right about its start once it reaches the head, whatever came meanwhile', () => {
    expect(prepended(part(50, 100), page(run(0, 50).concat(numbered(-1)))).start).toBe(0);
    expect(prepended(part(10, 100), previous(run(-20, 10))).start).toBe(0);
  });

  test('a row that is held already stays where it is', () => {
    expect(ids(appended(part(0, 3), next(run(2, 5))))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
    expect(ids(prepended(part(3, 5), previous(run(1, 4))))).toEqual(['n1', 'n2', 'n3', 'n4']);
  });

  test('knows which places of the order it reaches', () => {
    const middle = part(100, 200);
    expect([99, 100, 150, 199, 200].map((n) => reaches(middle, numbered(n)))).toEqual([false, true, true, true, false]);
    expect(reaches(slice(run(0, 5)), numbered(-1))).toBe(true);
  });
});

describe('what comes above a slice', () => {
  const deep = appended(part(0, HELD), next(run(HELD, HELD + 100)));
  const news = numbered(-1);

  test('is counted once each, where the head was seen before', () => {
    expect(patched(deep, 'is:inbox', [news], []).newer).toEqual([news.id]);
    expect(patched(patched(deep, 'is:inbox', [news], []), 'is:inbox', [news, numbered(-2)], []).newer).toEqual([news.id, 'n-2']);
    expect(patched(deep, 'is:inbox', [numbered(5), done(news)], [])).toBe(deep);
    expect(patched(part(500, 600), 'is:inbox', [news], []).newer).toEqual([]);
  });

  test('is counted no more once it has gone, or the head is seen', () => {
    const counted = patched(deep, 'is:inbox', [news], []);
    expect(patched(counted, 'is:inbox', [], [news.id]).newer).toEqual([]);
    expect(patched(counted, 'is:inbox', [done(news)], []).newer).toEqual([]);
    expect(prepended(counted, page([news, ...run(0, 100)])).newer).toEqual([]);
    expect(instead(counted, part(500, 600)).newer).toEqual([news.id]);
    expect(instead(counted, part(0, 100)).newer).toEqual([]);
  });
});

describe('patching', () => {
  const held = slice(items);

  test('a changed row takes the place of the old one and keeps the order', () => {
    const renamed = { ...items[1]!, title: 'New title' };
    const after = patched(held, 'is:inbox', [renamed], []);
    expect(after.rows[1]!.title).toBe('New title');
    expect(ids(after)).toEqual(ids(held));
  });

  test('a row that was done leaves the inbox and stays in all', () => {
    expect(ids(patched(held, 'is:inbox', [done(items[1]!)], []))).not.toContain(items[1]!.id);
    expect(ids(patched(held, 'is:any', [done(items[1]!)], []))).toEqual(ids(held));
  });

  test('a row that was read stays in the unread view', () => {
    const read = { ...items[0]!, triage: applied(items[0]!.triage, { kind: 'read' }, '2026-01-01T00:00:00.000Z') };
    expect(ids(patched(held, 'is:inbox is:unread', [read], []))).toEqual(ids(held));
  });

  test('a removed row goes', () => {
    expect(ids(patched(held, 'is:any', [], [items[4]!.id]))).not.toContain(items[4]!.id);
  });

  test('news of other rows touch nothing', () => {
    expect(patched(held, 'is:inbox', [{ ...items[0]!, id: 'other' }], ['another'])).toBe(held);
  });
});

test('only rows that could have a place here make the list be read again', () => {
  const held = slice(items.slice(0, 2));
  expect(mayBeMissing(held, 'is:inbox', [items[0]!])).toBe(false);
  expect(mayBeMissing(held, 'is:inbox', [items[3]!])).toBe(true);
  expect(mayBeMissing(held, 'is:inbox', [done(items[3]!)])).toBe(false);
  expect(mayBeMissing(part(100, 200), 'is:inbox', [numbered(0), numbered(500)])).toBe(false);
});

describe('a fresh first page', () => {
  const held = slice(items);

  test('joins the rows below it', () => {
    const fresh = { ...items[0]!, id: 'fresh' };
    expect(ids(mergeHead(held, page([fresh, items[0]!, items[1]!])))).toEqual(['fresh', ...items.map((item) => item.id)]);
  });

  test('takes out what it no longer holds', () => {
    expect(ids(mergeHead(held, page([items[1]!, items[2]!])))).toEqual(items.slice(1).map((item) => item.id));
  });

  test('is refused where the two do not meet', () => {
    expect(mergeHead(held, page([{ ...items[0]!, id: 'x' }]))).toBeNull();
    expect(mergeHead(held, page([]))).toBeNull();
    expect(mergeHead(part(1, 5), page(run(0, 3)))).toBeNull();
  });
});

test.each([
  ['is:inbox', true, false],
  ['', true, false],
  ['is:done', false, true],
  ['is:any', true, true],
  ['is:starred', true, true],
  ['is:inbox repo:x', true, false],
  ['is:inbox (a or is:done)', true, true],
])('%j holds an open item: %s, a done one: %s', (query, open, closed) => {
  expect(stillIn(query, items[0]!)).toBe(open);
  expect(stillIn(query, done(items[0]!))).toBe(closed);
});
