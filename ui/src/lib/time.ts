const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

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
  return date.toLocaleDateString('en-GB', sameYear ? { day: 'numeric', month: 'short' } : { month: 'short', year: 'numeric' });
}

/** Within a day the clock time, later the date. */
function shortFuture(at: number, now: number): string {
  if (at - now < DAY) return clock(at);
  if (at - now < 7 * DAY) return new Date(at).toLocaleDateString('en-GB', { weekday: 'short' });
  return shortDate(at, now);
}

/** The local time of day to the second: `14:02:05`. */
export function clockSeconds(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** In words, for screen readers and meta lines: `3 hours ago`. */
export function agoInWords(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (Math.abs(age) < HOUR) return format.format(-Math.round(age / MINUTE), 'minute');
  if (Math.abs(age) < DAY) return format.format(-Math.round(age / HOUR), 'hour');
  return format.format(-Math.round(age / DAY), 'day');
}

/** The exact local time: `Thu 12 Mar 2026, 09:30`. */
export function exactTime(iso: string | number): string {
  const date = new Date(iso);
  const day = date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  return `${day.replace(',', '')}, ${clock(date.getTime())}`;
}

/** The local time as little as it takes to be clear: `18:00`, `tomorrow 09:00`, `Mon 16 Mar 09:00`. */
export function whenInWords(iso: string | number, now: number): string {
  const date = new Date(iso);
  const days = Math.round((startOfDay(date.getTime()) - startOfDay(now)) / DAY);
  if (days === 0) return clock(date.getTime());
  if (days === 1) return `tomorrow ${clock(date.getTime())}`;
  const day = date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }).replace(',', '');
  return `${day} ${clock(date.getTime())}`;
}

/** A day of the past as people call it: `Today`, `Yesterday`, `Monday`, then the date. */
export function dayInWords(at: number, now: number): string {
  const date = new Date(at);
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return date.toLocaleDateString('en-GB', { weekday: 'long' });
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) });
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
