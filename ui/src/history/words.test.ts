import { describe, expect, test } from 'vitest';

import { makeHistory } from '../platform/fake/history';
import { makePlugins } from '../platform/fake/items';
import type { OperationRow } from '../platform/wire';
import { byDay, countInWords, dayInWords, itemsInWords, whoInWords } from './words';

const plugins = makePlugins(true);

describe('who did it', () => {
  test.each<[OperationRow['actor'], string | null, string]>([
    ['person', null, 'you'],
    ['rule', 'rule Bots are read', 'the rule “Bots are read”'],
    ['rule', null, 'a rule'],
    ['flow', 'flow Morning', 'the flow “Morning”'],
    ['ai', null, 'AI'],
    ['plugin', 'plugin devrig-plugin-git-local', 'Local git'],
    ['plugin', 'plugin devrig-plugin-gone', 'devrig-plugin-gone'],
    ['plugin', 'action op_1', 'a plugin'],
    ['source', 'sync repositories', 'the source'],
    ['device', null, 'your other device'],
    ['system', 'snooze', 'DevRig'],
  ])('%s because of %s is %s', (actor, cause, words) => {
    expect(whoInWords({ actor, cause }, plugins)).toBe(words);
  });
});

test('titles are followed by how many more there are', () => {
  expect(itemsInWords({ items: ['A', 'B'], count: 2 })).toBe('A, B');
  expect(itemsInWords({ items: ['A', 'B', 'C'], count: 1203 })).toBe('A, B, C and 1,200 more');
  expect(itemsInWords({ items: [], count: 4 })).toBe('');
  expect([countInWords(1), countInWords(2)]).toEqual(['1 item', '2 items']);
});

test('days are named as people name them', () => {
  const now = new Date(2026, 2, 12, 9, 30).getTime();
  const at = (...day: [number, number, number, number, number]) => new Date(...day).toISOString();
  expect(dayInWords(at(2026, 2, 12, 0, 1), now)).toBe('Today');
  expect(dayInWords(at(2026, 2, 11, 23, 59), now)).toBe('Yesterday');
  expect(dayInWords(at(2026, 2, 10, 12, 0), now)).toBe('Tuesday 10 March');
  expect(dayInWords(at(2025, 11, 31, 12, 0), now)).toBe('Wednesday 31 December 2025');
});

test('rows keep their order under their days', () => {
  const rows = makeHistory();
  const days = byDay(rows, Date.parse(rows[0]!.at));
  expect(days.flatMap((day) => day.rows)).toEqual(rows);
  expect(new Set(days.map((day) => day.name)).size).toBe(days.length);
});
