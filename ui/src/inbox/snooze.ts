import { whenInWords } from '../lib/time';

export type Preset = { key: string; name: string; until: number };

const HOUR = 3_600_000;

function dayAt(now: number, days: number, hour: number): number {
  const date = new Date(now);
  date.setDate(date.getDate() + days);
  date.setHours(hour, 0, 0, 0);
  return date.getTime();
}

/** Presets on the keys 1 to 6, each later than the one before it. */
export function presets(now: number): Preset[] {
  const hour = new Date(now).getHours();
  const weekday = new Date(now).getDay();
  // At the weekend the coming Monday is "tomorrow" or "in two days"; next week is the one after.
  const monday = (8 - weekday) % 7 || 7;
  const toMonday = monday <= 2 ? monday + 7 : monday;
  const middle = toMonday === 4 ? 3 : 4;
  const later = Math.ceil((now + 3 * HOUR) / (HOUR / 2)) * (HOUR / 2);
  const eveningHour = later > dayAt(now, 0, 17) ? 20 : 18;
  const evening = hour < 16 ? dayAt(now, 0, eveningHour) : dayAt(now, 1, 18);
  const choices = [
    { name: hour < 20 ? 'Later today' : 'In three hours', until: later },
    { name: hour < 16 ? 'This evening' : 'Tomorrow evening', until: evening },
    { name: 'Tomorrow morning', until: dayAt(now, 1, 9) },
    { name: 'In two days', until: dayAt(now, 2, 9) },
    { name: middle === 3 ? 'In three days' : 'In four days', until: dayAt(now, middle, 9) },
    { name: 'Next week', until: dayAt(now, toMonday, 9) },
  ];
  return choices.sort((a, b) => a.until - b.until).map((choice, index) => ({ ...choice, key: String(index + 1) }));
}

/** What ends a snooze that no time ends, as a sentence goes on after "until". */
const CONDITIONS: Record<string, string> = { activity: 'there is new activity', merged: 'it is merged', ended: 'it is merged or closed' };

/** Snoozes that no time ends; on the keys after the presets. */
export const conditions: { key: string; name: string; until: string }[] = [
  { key: '7', name: 'Until new activity', until: 'activity' },
  { key: '8', name: 'Until merged or closed', until: 'ended' },
];

/** "until …", for a time or for what else ends a snooze. */
export function untilWhat(until: string, now: number): string {
  return CONDITIONS[until] ?? whenInWords(until, now);
}

/** "Snoozed until …" */
export function untilInWords(until: string, now: number): string {
  return `Snoozed until ${untilWhat(until, now)}`;
}
