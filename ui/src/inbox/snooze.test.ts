import { expect, test } from 'vitest';

import { presets, untilInWords } from './snooze';

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

test('what ends a snooze is told in words', () => {
  const now = local('2026-03-12T09:30:00');
  expect(untilInWords(new Date(local('2026-03-13T09:00:00')).toISOString(), now)).toBe('Snoozed until tomorrow 09:00');
  expect(untilInWords('activity', now)).toBe('Snoozed until there is new activity');
  expect(untilInWords('ended', now)).toBe('Snoozed until it is merged or closed');
});
