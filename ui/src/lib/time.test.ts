import { describe, expect, test } from 'vitest';

import { agoInWords, duration, shortTime, whenInWords } from './time';

const at = (text: string) => new Date(text).toISOString();
const now = new Date('2026-03-12T09:30:00').getTime();

describe('a short time', () => {
  test.each([
    ['2026-03-12T09:29:40', 'now'],
    ['2026-03-12T09:25:00', '5m'],
    ['2026-03-12T06:10:00', '3h'],
    ['2026-03-10T09:00:00', '2d'],
    ['2026-03-01T09:00:00', '1 Mar'],
    ['2025-11-01T09:00:00', 'Nov 2025'],
    ['2026-03-12T18:00:00', '18:00'],
    ['2026-03-16T09:00:00', 'Mon'],
    ['2026-04-20T09:00:00', '20 Apr'],
  ])('%s is %s', (time, expected) => {
    expect(shortTime(at(time), now)).toBe(expected);
  });
});

test('an age is told in words', () => {
  expect(agoInWords(at('2026-03-12T06:30:00'), now)).toBe('3 hours ago');
  expect(agoInWords(at('2026-03-11T09:30:00'), now)).toBe('yesterday');
});

test('a time to come is told as briefly as it is clear', () => {
  expect(whenInWords(at('2026-03-12T18:00:00'), now)).toBe('18:00');
  expect(whenInWords(at('2026-03-13T09:00:00'), now)).toBe('tomorrow 09:00');
  expect(whenInWords(at('2026-03-16T09:00:00'), now)).toBe('Mon 16 Mar 09:00');
});

test('an interval has the unit that fits', () => {
  expect([30_000, 300_000, 21_600_000, 604_800_000].map(duration)).toEqual(['30 s', '5 min', '6 h', '7 days']);
});
