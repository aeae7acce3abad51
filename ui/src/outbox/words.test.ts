import { expect, test } from 'vitest';

import { makePlugins } from '../platform/fake/items';
import type { OutboxRow } from '../platform/wire';
import { clockSeconds } from '../lib/time';
import { canRetry, nextDue, outboxInWords, reasonOf, sectionsOf, standingOf } from './words';

const NOW = Date.parse('2026-03-12T09:30:00.000Z');
const row = (id: string, state: OutboxRow['state'], more: Partial<OutboxRow> = {}): OutboxRow => ({
  id, state, operationId: 'op', itemId: 'item', title: 'An item', accountId: 'acc_git', action: 'x', label: 'X', idempotencyKey: 'k', error: null,
  dueAt: '2026-03-12T09:29:00.000Z', createdAt: '2026-03-12T09:29:00.000Z', ...more,
});

test('what waits for the person comes first, then each account in the order of sending', () => {
  const rows = [row('a', 'sending'), row('b', 'waiting', { accountId: 'acc_builds' }), row('c', 'failed'), row('d', 'waiting'), row('e', 'needs_decision', { accountId: 'gone' })];
  const sections = sectionsOf(rows, makePlugins(true));
  expect(sections.map((section) => [section.name, ...section.entries.map((entry) => entry.row.id + (entry.behind ? ' behind' : ''))])).toEqual([
    ['Waiting for you', 'c', 'e'],
    ['Local git', 'a', 'd behind'],
    ['Build watch', 'b'],
  ]);
  expect(sections[0]!.entries.map((entry) => entry.account)).toEqual(['Local git', 'gone']);
  expect(sectionsOf([], [])).toEqual([]);
});

const LATER = '2026-03-12T09:30:05.000Z';

test.each<[OutboxRow, boolean, boolean, string]>([
  [row('a', 'waiting', { dueAt: LATER }), false, true, `waiting until ${clockSeconds(LATER)}`],
  [row('a', 'waiting', { dueAt: LATER }), true, true, 'behind an older one'],
  [row('a', 'waiting'), false, true, 'about to be sent'],
  [row('a', 'waiting'), false, false, 'waiting for the network'],
  [row('a', 'sending'), false, true, 'sending'],
  [row('a', 'failed'), false, true, 'failed'],
  [row('a', 'needs_decision'), false, true, 'needs your decision'],
])('how an action stands: %o, behind: %s, online: %s', (row, behind, online, words) => {
  expect(standingOf({ row, account: 'A', behind }, NOW, online).words).toBe(words);
});

test('why it failed, and what is not known', () => {
  expect(reasonOf(row('a', 'failed', { error: 'refused' }))).toBe('refused');
  expect(reasonOf(row('a', 'waiting', { error: 'no answer' }))).toBe('Last try: no answer');
  expect(reasonOf(row('a', 'waiting'))).toBeNull();
  expect(reasonOf(row('a', 'needs_decision', { error: 'The connection was lost.' }))).toBe('The connection was lost. Look at the source: sending it again may do it twice.');
  expect(reasonOf(row('a', 'needs_decision'))).toContain('It is not known whether it arrived. Look at');
});

test.each<[OutboxRow['state'][], string | null, boolean]>([
  [[], null, false],
  [['waiting', 'sending', 'waiting'], '3 actions waiting', false],
  [['failed'], '1 action failed', true],
  [['waiting', 'failed', 'needs_decision', 'failed'], '2 actions failed, 1 to decide, 1 waiting', true],
  [['needs_decision'], '1 action to decide', true],
])('%o in a few words is %s', (states, words, stuck) => {
  const said = outboxInWords(states.map((state, n) => row(`${n}`, state)));
  expect(said).toEqual(words === null ? null : { words, stuck });
});

test('the next time to look is the first that is still to come', () => {
  expect(nextDue([row('a', 'waiting'), row('b', 'waiting', { dueAt: LATER }), row('c', 'failed', { dueAt: LATER })], NOW)).toBe(Date.parse(LATER));
  expect(nextDue([row('a', 'waiting')], NOW)).toBeNull();
});

test('what was tried and waits can be sent at once', () => {
  expect(canRetry({ state: 'waiting', error: 'the network is down' })).toBe(true);
  expect(canRetry({ state: 'waiting', error: null })).toBe(false);
  expect(canRetry({ state: 'sending', error: null })).toBe(false);
  expect(canRetry({ state: 'failed', error: 'no' })).toBe(true);
});
