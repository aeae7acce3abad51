import { describe, expect, test } from 'vitest';

import { makeItems } from '../platform/fake/items';
import type { ItemSummary } from '../platform/wire';
import { cutInWords, grouped, type Grouping } from './grouping';
import { readChoices } from './groupingChoice';
import { groupedLayout } from './rowLayout';

const [some] = makeItems(1);
const now = new Date('2026-03-12T09:30:00').getTime();
const item = (id: string, more: Partial<ItemSummary>): ItemSummary => ({ ...some!, id, title: `Title of ${id}`, ...more });
const at = (local: string) => ({ activityAt: new Date(local).toISOString() });
const groupsOf = (rows: ItemSummary[], by: Exclude<Grouping, 'none'>) =>
  grouped(rows, by, { now, sourceName: (id) => `Source ${id}` }).map((group) => [group.name, group.items.map(({ id }) => id).join('')]);

describe('rows under their groups', () => {
  test('by day, where the person is', () => {
    const rows = [
      item('a', at('2026-03-12T00:01:00')), item('b', at('2026-03-11T23:59:00')), item('c', at('2026-03-11T08:00:00')),
      item('d', at('2026-03-07T12:00:00')), item('e', at('2026-03-05T12:00:00')), item('f', at('2025-12-24T12:00:00')),
    ];
    expect(groupsOf(rows, 'day')).toEqual([['Today', 'a'], ['Yesterday', 'bc'], ['Saturday', 'd'], ['5 March', 'e'], ['24 December 2025', 'f']]);
  });

  test('a row with news of today comes under today, and today before yesterday', () => {
    expect(groupsOf([item('a', at('2026-03-11T10:00:00')), item('b', at('2026-03-12T09:00:00'))], 'day')).toEqual([['Today', 'b'], ['Yesterday', 'a']]);
  });

  test('by repository, in the order of the newest of each', () => {
    const rows = [item('a', { repo: 'x' }), item('b', { repo: 'y' }), item('c', { repo: 'x' }), item('d', { repo: null })];
    expect(groupsOf(rows, 'repository')).toEqual([['x', 'ac'], ['y', 'b'], ['No repository', 'd']]);
  });

  test('by source', () => {
    expect(groupsOf([item('a', { accountId: '1' }), item('b', { accountId: '2' }), item('c', { accountId: '1' })], 'source')).toEqual([['Source 1', 'ac'], ['Source 2', 'b']]);
  });

  test('by thread: of its account alone, named by its newest, and an item without one by itself', () => {
    const rows = [
      item('a', { accountId: '1', threadKey: 't' }), item('b', { threadKey: null }), item('c', { accountId: '1', threadKey: 't' }),
      item('d', { accountId: '2', threadKey: 't' }), item('e', { threadKey: null }),
    ];
    expect(groupsOf(rows, 'thread')).toEqual([['Title of a', 'ac'], ['Title of b', 'b'], ['Title of d', 'd'], ['Title of e', 'e']]);
  });

  test('of nothing is nothing', () => {
    expect(groupsOf([], 'day')).toEqual([]);
  });
});

test('what is left out is told as far as it is known', () => {
  expect(cutInWords(12_345, false)).toBe('Grouped: the newest 2,000 of 12,345');
  expect(cutInWords(10_000, true)).toBe('Grouped: the newest 2,000 of more than 10,000');
  expect(cutInWords(null, false)).toBe('Grouped: the newest 2,000. There are more.');
});

test('what was stored is used as far as it is sound', () => {
  expect(readChoices('{"inbox":"day","done":"none","all":"colour","x":7}')).toEqual({ inbox: 'day' });
  for (const broken of [null, '', '{', '7', 'null']) expect(readChoices(broken)).toEqual({});
});

describe('where rows lie in groups', () => {
  const layout = groupedLayout([2, 1, 3], 36, 28);

  test('each group has a header above its rows', () => {
    expect(layout.boxes.map(({ top }) => top)).toEqual([0, 100, 164]);
    expect([0, 1, 2, 3, 5].map(layout.topOf)).toEqual([28, 64, 128, 192, 264]);
    expect(layout.extent).toBe(300);
  });

  test.each([[0, 0], [28, 0], [63, 0], [64, 1], [99, 1], [100, 2], [128, 2], [163, 2], [164, 3], [299, 5], [900, 5]])('at %i px is row %i', (px, row) => {
    expect(layout.rowAt(px)).toBe(row);
  });

  test('no groups have no height', () => {
    expect(groupedLayout([], 36, 28)).toMatchObject({ extent: 0, boxes: [] });
    expect(groupedLayout([], 36, 28).rowAt(10)).toBe(0);
  });
});
