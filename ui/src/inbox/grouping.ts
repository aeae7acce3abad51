import { dayInWords, startOfDay } from '../lib/time';
import type { ItemSummary } from '../platform/wire';

export const GROUPINGS = ['none', 'day', 'repository', 'source', 'thread'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export type Group = { key: string; name: string; items: readonly ItemSummary[] };

/** Only the newest rows of a view are put into groups: a group is to be whole, so all of them are held. */
export const GROUPED = 2000;

export type Naming = { now: number; sourceName: (accountId: string) => string };

/** Rows under their groups: the group of the first row first, and rows in the order they come in. */
export function grouped(rows: readonly ItemSummary[], by: Exclude<Grouping, 'none'>, naming: Naming): Group[] {
  const groups = new Map<string, Group & { items: ItemSummary[] }>();
  for (const item of rows) {
    const key = keyOf(item, by);
    const group = groups.get(key);
    if (group) group.items.push(item);
    else groups.set(key, { key, name: nameOf(item, by, naming), items: [item] });
  }
  const found = [...groups.values()];
  // A row that has news keeps its place for now, but the days are in their order.
  return by === 'day' ? found.sort((a, b) => Number(b.key) - Number(a.key)) : found;
}

function keyOf(item: ItemSummary, by: Exclude<Grouping, 'none'>): string {
  if (by === 'day') return String(startOfDay(Date.parse(item.activityAt)));
  if (by === 'repository') return item.repo ?? '';
  if (by === 'source') return item.accountId;
  // A thread belongs to its account; what has none is one by itself.
  return item.threadKey === null ? `item ${item.id}` : `${item.accountId} ${item.threadKey}`;
}

function nameOf(item: ItemSummary, by: Exclude<Grouping, 'none'>, { now, sourceName }: Naming): string {
  if (by === 'day') return dayInWords(Date.parse(item.activityAt), now);
  if (by === 'repository') return item.repo ?? 'No repository';
  if (by === 'source') return sourceName(item.accountId);
  return item.title;
}

/** Says that there are more rows than those in the groups. */
export function cutInWords(total: number | null, capped: boolean): string {
  const shown = GROUPED.toLocaleString('en');
  if (total === null) return `Grouped: the newest ${shown}. There are more.`;
  return `Grouped: the newest ${shown} of ${capped ? 'more than ' : ''}${total.toLocaleString('en')}`;
}
