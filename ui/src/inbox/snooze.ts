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

const UNITS: Record<string, number> = { m: 60_000, h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/** Reads `2h`, `in 3 days`, `18:00`, `tomorrow`, `2026-03-16` and `2026-03-16 14:00`; null for anything else or the past. */
export function parseWhen(text: string, now: number): number | null {
  const words = text.trim().toLowerCase();
  const at = relative(words, now) ?? clockTime(words, now) ?? date(words);
  if (at === null || Number.isNaN(at) || at <= now) return null;
  return at;
}

function relative(words: string, now: number): number | null {
  const match = /^(?:in )?(\d{1,4}) ?(m|min|minutes?|h|hours?|d|days?|w|weeks?)$/.exec(words);
  if (!match) return null;
  const [, count, unit] = match;
  const letter = unit![0]!;
  // Whole days end in the morning; hours are exact.
  if (letter === 'd' || letter === 'w') return dayAt(now, Number(count) * (letter === 'w' ? 7 : 1), 9);
  return now + Number(count) * UNITS[letter]!;
}

function clockTime(words: string, now: number): number | null {
  if (words === 'tomorrow') return dayAt(now, 1, 9);
  const match = /^(tomorrow )?([01]?\d|2[0-3]):([0-5]\d)$/.exec(words);
  if (!match) return null;
  const at = new Date(dayAt(now, match[1] ? 1 : 0, Number(match[2])));
  at.setMinutes(Number(match[3]));
  return at.getTime() > now ? at.getTime() : at.getTime() + 24 * HOUR;
}

function date(words: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[ t](\d{1,2}):(\d{2}))?$/.exec(words);
  if (!match) return null;
  const [year, month, day, hour, minute] = match.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  const at = new Date(year!, month! - 1, day!, hour ?? 9, minute ?? 0);
  return at.getMonth() === month! - 1 && at.getDate() === day! ? at.getTime() : null;
}

/** "Snoozed until …" */
export function untilInWords(until: number | string, now: number): string {
  return `Snoozed until ${whenInWords(until, now)}`;
}
