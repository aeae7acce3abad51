import { describe, expect, test } from 'vitest';

import { afterLeaving, between, cameAbove, moved, resolved, withKept } from './focus';

const ids = ['a', 'b', 'c', 'd'];
const rows = (text: string) => [...text].map((id) => ({ id }));
const text = (of: { id: string }[]) => of.map((row) => row.id).join('');

describe('moving', () => {
  test.each([
    ['b', 1, 'c'],
    ['b', -1, 'a'],
    ['d', 1, 'd'],
    ['a', -1, 'a'],
    [null, 1, 'a'],
    ['gone', 1, 'a'],
    ['b', 12, 'd'],
  ])('from %s by %i goes to %s', (from, by, to) => {
    expect(moved(ids, from, by)).toBe(to);
  });

  test('an empty list has no focus', () => {
    expect(moved([], 'a', 1)).toBeNull();
    expect(resolved([], 'a', 3)).toBeNull();
  });
});

describe('after rows leave', () => {
  test.each([
    ['next', ['b'], 'b', 'c'],
    ['previous', ['b'], 'b', 'a'],
    ['next', ['d'], 'd', 'c'],
    ['previous', ['a'], 'a', 'b'],
    ['next', ['b', 'c'], 'b', 'd'],
    ['next', ['a', 'b', 'c', 'd'], 'b', null],
    ['next', ['a'], 'c', 'c'],
    ['stay', ['b'], 'b', 'b'],
  ] as const)('%s: %j leave while %s is in focus', (way, leaving, focused, expected) => {
    expect(afterLeaving(ids, new Set(leaving), focused, way)).toBe(expected);
  });
});

test('a focus that went is taken by the row in its place', () => {
  expect(resolved(['a', 'c', 'd'], 'b', 1)).toBe('c');
  expect(resolved(['a'], 'b', 9)).toBe('a');
});

test('a range holds both ends, in either direction', () => {
  expect(between(ids, 'b', 'd')).toEqual(['b', 'c', 'd']);
  expect(between(ids, 'd', 'b')).toEqual(['b', 'c', 'd']);
  expect(between(ids, 'gone', 'b')).toEqual([]);
});

test('what came above a row is counted, not what was put in another order', () => {
  expect(cameAbove(ids, ['x', 'y', ...ids], 'b')).toBe(2);
  expect(cameAbove(ids, ['x', 'b', 'c'], 'c')).toBe(1);
  expect(cameAbove(ids, ['d', 'c', 'b', 'a'], 'a')).toBe(0);
  expect(cameAbove(ids, ['a', 'c'], 'b')).toBe(0);
  expect(cameAbove(ids, ids, null)).toBe(0);
});

describe('the open row', () => {
  test('stays in its place when a fresh answer leaves it out', () => {
    expect(text(withKept(rows('abcd'), rows('acd'), 'b'))).toBe('abcd');
    expect(text(withKept(rows('abcd'), rows('bcd'), 'a'))).toBe('abcd');
    expect(text(withKept(rows('abcd'), rows('xad'), 'c'))).toBe('xacd');
  });

  test('is not kept twice, nor made up', () => {
    expect(text(withKept(rows('abcd'), rows('abcd'), 'b'))).toBe('abcd');
    expect(text(withKept(rows('abcd'), rows('ab'), 'z'))).toBe('ab');
    expect(text(withKept(rows('abcd'), rows('ab'), null))).toBe('ab');
  });
});
