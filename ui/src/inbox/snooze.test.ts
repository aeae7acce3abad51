import { describe, expect, test } from 'vitest';

import { parseWhen, presets } from './snooze';

const local = (text: string) => new Date(text).getTime();

test('at every hour of a week the six presets lie in the future, in order, and differ', () => {
  for (let hour = 0; hour < 7 * 24 * 2; hour += 1) {
    const now = local('2026-03-09T00:07:00') + hour * 1_800_000;
    const untils = presets(now).map((preset) => preset.until);
    expect(untils).toHaveLength(6);
    expect(untils[0]).toBeGreaterThan(now);
    for (let n = 1; n < 6; n += 1) expect(untils[n], `preset ${n + 1} at ${new Date(now).toString()}`).toBeGreaterThan(untils[n - 1]!);
  }
});

describe('a typed time', () => {
  const now = local('2026-03-12T09:30:00');
  test.each([
    ['2h', '2026-03-12T11:30:00'],
    ['in 45 minutes', '2026-03-12T10:15:00'],
    ['in 3 days', '2026-03-15T09:00:00'],
    ['2 weeks', '2026-03-26T09:00:00'],
    ['18:00', '2026-03-12T18:00:00'],
    ['08:00', '2026-03-13T08:00:00'],
    ['tomorrow', '2026-03-13T09:00:00'],
    ['tomorrow 14:15', '2026-03-13T14:15:00'],
    ['2026-04-01', '2026-04-01T09:00:00'],
    ['2026-04-01 16:20', '2026-04-01T16:20:00'],
  ])('%s is understood', (typed, expected) => {
    expect(parseWhen(typed, now)).toBe(local(expected));
  });

  test.each(['', 'soon', '2026-02-30', '2020-01-01', '25:00', '0h', '-2h'])('%s is refused', (typed) => {
    expect(parseWhen(typed, now)).toBeNull();
  });
});
