import type { OperationRow, PluginInfo } from '../platform/wire';

const DAY = 86_400_000;

/** Who did it, as it reads after "by": the engine's cause names the rule, flow or plugin. */
export function whoInWords(row: Pick<OperationRow, 'actor' | 'cause'>, plugins: readonly PluginInfo[]): string {
  const named = (kind: string) => (row.cause?.startsWith(`${kind} `) ? row.cause.slice(kind.length + 1) : null);
  switch (row.actor) {
    case 'person':
      return 'you';
    case 'rule':
      return inQuotes('rule', named('rule'));
    case 'flow':
      return inQuotes('flow', named('flow'));
    case 'ai':
      return 'AI';
    case 'plugin': {
      const name = named('plugin');
      return name === null ? 'a plugin' : (plugins.find((plugin) => plugin.name === name)?.displayName ?? name);
    }
    case 'source':
      return 'the source';
    case 'device':
      return 'your other device';
    case 'system':
      return 'DevRig';
  }
}

function inQuotes(kind: string, name: string | null): string {
  return name === null ? `a ${kind}` : `the ${kind} “${name}”`;
}

/** The titles that the engine gave, and how many more there are. */
export function itemsInWords(row: Pick<OperationRow, 'items' | 'count'>): string {
  const titles = row.items.join(', ');
  const more = row.count - row.items.length;
  if (titles === '') return '';
  return more > 0 ? `${titles} and ${more.toLocaleString('en')} more` : titles;
}

export function countInWords(count: number): string {
  return `${count.toLocaleString('en')} item${count === 1 ? '' : 's'}`;
}

export function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

export type Day = { name: string; rows: OperationRow[] };

/** Rows under the local day that they were done on, in the order given. */
export function byDay(rows: readonly OperationRow[], now: number): Day[] {
  const days: Day[] = [];
  for (const row of rows) {
    const name = dayInWords(row.at, now);
    const last = days.at(-1);
    if (last?.name === name) last.rows.push(row);
    else days.push({ name, rows: [row] });
  }
  return days;
}

/** `Today`, `Yesterday`, `Tuesday 10 March`; with its year where that is another one. */
export function dayInWords(iso: string, now: number): string {
  const date = new Date(iso);
  const days = Math.round((startOfDay(now) - startOfDay(date.getTime())) / DAY);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return date.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year }).replace(',', '');
}

function startOfDay(at: number): number {
  const date = new Date(at);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}
