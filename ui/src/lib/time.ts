const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Made once: to make a formatter takes longer than to draw the row that it is for.
const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', options);
const CLOCK = format({ hour: '2-digit', minute: '2-digit' });
const CLOCK_SECONDS = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY_MONTH = format({ day: 'numeric', month: 'short' });
const MONTH_YEAR = format({ month: 'short', year: 'numeric' });
const WEEKDAY = format({ weekday: 'short' });
const LONG_WEEKDAY = format({ weekday: 'long' });
const FULL_DAY = format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const NEAR_DAY = format({ weekday: 'short', day: 'numeric', month: 'short' });
const LONG_DAY = format({ day: 'numeric', month: 'long' });
const LONG_DAY_YEAR = format({ day: 'numeric', month: 'long', year: 'numeric' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** A row's time: `now`, `5m`, `3h`, `2d`, then a date; at most six characters of a column. */
export function shortTime(iso: string, now: number): string {
  const at = Date.parse(iso);
  const age = now - at;
  if (age < -MINUTE) return shortFuture(at, now);
  if (age < MINUTE) return 'now';
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`;
  if (age < DAY) return `${Math.floor(age / HOUR)}h`;
  if (age < 7 * DAY) return `${Math.floor(age / DAY)}d`;
  return shortDate(at, now);
}

function shortDate(at: number, now: number): string {
  const date = new Date(at);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return (sameYear ? DAY_MONTH : MONTH_YEAR).format(date);
}

/** Within a day the clock time, later the date. */
function shortFuture(at: number, now: number): string {
  if (at - now < DAY) return clock(at);
  if (at - now < 7 * DAY) return WEEKDAY.format(at);
  return shortDate(at, now);
}

/** The local time of day to the second: `14:02:05`. */
export function clockSeconds(iso: string): string {
  return CLOCK_SECONDS.format(new Date(iso));
}

function clock(at: number): string {
  return CLOCK.format(at);
}

/** In words, for screen readers and meta lines: `3 hours ago`. */
export function agoInWords(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  if (Math.abs(age) < HOUR) return AGO.format(-Math.round(age / MINUTE), 'minute');
  if (Math.abs(age) < DAY) return AGO.format(-Math.round(age / HOUR), 'hour');
  return AGO.format(-Math.round(age / DAY), 'day');
}

/** The exact local time: `Thu 12 Mar 2026, 09:30`. */
export function exactTime(iso: string | number): string {
  const date = new Date(iso);
  const day = FULL_DAY.format(date);
  return `${day.replace(',', '')}, ${clock(date.getTime())}`;
}

/** The local time as little as it takes to be clear: `18:00`, `tomorrow 09:00`, `Mon 16 Mar 09:00`. */
export function whenInWords(iso: string | number, now: number): string {
  const date = new Date(iso);
  const days = Math.round((startOfDay(date.getTime()) - startOfDay(now)) / DAY);
  if (days === 0) return clock(date.getTime());
  if (days === 1) return `tomorrow ${clock(date.getTime())}`;
  const day = NEAR_DAY.format(date).replace(',', '');
  return `${day} ${clock(date.getTime())}`;
}

/** A day of the past as people call it: `Today`, `Yesterday`, `Monday`, then the date. */
export function dayInWords(at: number, now: number): string {
  const date = new Date(at);
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return LONG_WEEKDAY.format(date);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return (sameYear ? LONG_DAY : LONG_DAY_YEAR).format(date);
}

/** Midnight before, where the person is. */
export function startOfDay(at: number): number {
  const date = new Date(at);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** `90000` as `90 s`, `300000` as `5 min`. */
export function duration(ms: number): string {
  if (ms < 2 * MINUTE) return `${Math.round(ms / 1000)} s`;
  if (ms < 2 * HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} h`;
  return `${Math.round(ms / DAY)} days`;
}
