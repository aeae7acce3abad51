import { describe, expect, test } from 'vitest';

import { makeItems } from '../platform/fake/items';
import type { ItemSummary } from '../platform/wire';
import { mayBeMissing, mergeHead, patchPages, rowsOf, type Pages } from './pages';
import { applied, stillIn } from './triage';

const items: ItemSummary[] = makeItems(6).filter((item) => item.triage.snoozedUntil === null);
const pages = (...groups: ItemSummary[][]): Pages => ({ pages: groups.map((group) => ({ items: group, next: null, totalHint: null })), pageParams: groups.map(() => null) });
const ids = (data: Pages | null) => rowsOf(data ?? undefined).map((item) => item.id);
const done = (item: ItemSummary): ItemSummary => ({ ...item, triage: applied(item.triage, { kind: 'done' }, '2026-01-01T00:00:00.000Z') });

describe('patching', () => {
  const data = pages(items.slice(0, 3), items.slice(3));

  test('a changed row takes the place of the old one and keeps the order', () => {
    const renamed = { ...items[1]!, title: 'New title' };
    const after = patchPages(data, 'is:inbox', [renamed], []);
    expect(rowsOf(after)[1]!.title).toBe('New title');
    expect(ids(after)).toEqual(ids(data));
    expect(after.pages[1]).toBe(data.pages[1]);
  });

  test('a row that was done leaves the inbox and stays in all', () => {
    expect(ids(patchPages(data, 'is:inbox', [done(items[1]!)], []))).not.toContain(items[1]!.id);
    expect(ids(patchPages(data, 'is:any', [done(items[1]!)], []))).toEqual(ids(data));
  });

  test('a row that was read stays in the unread view', () => {
    const read = { ...items[0]!, triage: applied(items[0]!.triage, { kind: 'read' }, '2026-01-01T00:00:00.000Z') };
    expect(ids(patchPages(data, 'is:inbox is:unread', [read], []))).toEqual(ids(data));
  });

  test('a removed row goes', () => {
    expect(ids(patchPages(data, 'is:any', [], [items[4]!.id]))).not.toContain(items[4]!.id);
  });

  test('news of other rows touch nothing', () => {
    expect(patchPages(data, 'is:inbox', [{ ...items[0]!, id: 'other' }], ['another'])).toBe(data);
  });
});

test('a row in two pages is shown once', () => {
  expect(ids(pages(items.slice(0, 3), items.slice(2)))).toEqual(items.map((item) => item.id));
});

test('only rows that could have a place here make the list be read again', () => {
  const data = pages(items.slice(0, 2));
  expect(mayBeMissing(data, 'is:inbox', [items[0]!])).toBe(false);
  expect(mayBeMissing(data, 'is:inbox', [items[3]!])).toBe(true);
  expect(mayBeMissing(data, 'is:inbox', [done(items[3]!)])).toBe(false);
});

describe('a fresh first page', () => {
  const data = pages(items.slice(0, 2), items.slice(2));
  const page = (list: ItemSummary[]) => ({ items: list, next: 'n', totalHint: null });

  test('joins the rows below it', () => {
    const fresh = { ...items[0]!, id: 'fresh' };
    expect(ids(mergeHead(data, page([fresh, items[0]!, items[1]!])))).toEqual(['fresh', ...items.map((item) => item.id)]);
  });

  test('takes out what it no longer holds', () => {
    expect(ids(mergeHead(data, page([items[1]!, items[2]!])))).toEqual(items.slice(1).map((item) => item.id));
  });

  test('is refused where the two do not meet', () => {
    expect(mergeHead(data, page([{ ...items[0]!, id: 'x' }]))).toBeNull();
    expect(mergeHead(data, page([]))).toBeNull();
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
