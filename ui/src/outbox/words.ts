import type { IconName } from '../components/Icon';
import { clockSeconds } from '../lib/time';
import type { OutboxRow, PluginInfo } from '../platform/wire';

/** Failed, or nobody knows whether it arrived: it rests until the person says what happens. */
export function isStuck(row: Pick<OutboxRow, 'state'>): boolean {
  return row.state === 'failed' || row.state === 'needs_decision';
}

export type Entry = { row: OutboxRow; account: string; /** An older action of the account goes first. */ behind: boolean };
export type Section = { id: string; name: string; entries: Entry[] };

/** What waits for the person, then each account's actions in the order in which they are sent: the engine's. */
export function sectionsOf(rows: readonly OutboxRow[], plugins: readonly PluginInfo[]): Section[] {
  const accounts = plugins.flatMap((plugin) => plugin.accounts);
  const nameOf = (id: string) => accounts.find((account) => account.id === id)?.name ?? id;
  const stuck: Section = { id: 'stuck', name: 'Waiting for you', entries: [] };
  const sections = new Map<string, Section>();
  for (const row of rows) {
    const account = nameOf(row.accountId);
    if (isStuck(row)) {
      stuck.entries.push({ row, account, behind: false });
      continue;
    }
    const section = sections.get(row.accountId) ?? { id: row.accountId, name: account, entries: [] };
    section.entries.push({ row, account, behind: section.entries.length > 0 });
    sections.set(row.accountId, section);
  }
  return [stuck, ...sections.values()].filter((section) => section.entries.length > 0);
}

export type Standing = { words: string; icon: IconName; tone: string };

/** How an action stands, in words and a glyph. */
export function standingOf({ row, behind }: Entry, now: number, online: boolean): Standing {
  if (row.state === 'failed') return { words: 'failed', icon: 'alert', tone: 'text-err' };
  if (row.state === 'needs_decision') return { words: 'needs your decision', icon: 'alert', tone: 'text-warn' };
  if (row.state === 'sending') return { words: 'sending', icon: 'outbox', tone: 'text-info' };
  if (behind) return { words: 'behind an older one', icon: 'layers', tone: 'text-t2' };
  if (Date.parse(row.dueAt) > now) return { words: `waiting until ${clockSeconds(row.dueAt)}`, icon: 'clock', tone: 'text-t2' };
  return online ? { words: 'about to be sent', icon: 'clock', tone: 'text-t2' } : { words: 'waiting for the network', icon: 'offline', tone: 'text-warn' };
}

/** What is to be known about it besides: why it failed, or why nobody knows. */
export function reasonOf(row: OutboxRow): string | null {
  if (row.state === 'needs_decision') {
    const why = row.error?.replace(/\.$/, '') ?? 'It is not known whether it arrived';
    return `${why}. Look at the source: sending it again may do it twice.`;
  }
  if (row.state === 'failed') return row.error;
  return row.error === null ? null : `Last try: ${row.error}`;
}

/** What rests, and what waits for its next attempt, which can be had at once. */
export function canRetry(row: Pick<OutboxRow, 'state' | 'error'>): boolean {
  return isStuck(row) || (row.state === 'waiting' && row.error !== null);
}

export const retryName = (row: OutboxRow) => (row.state === 'needs_decision' ? 'Send again' : 'Try again');
export const discardName = (row: OutboxRow) => (row.state === 'needs_decision' ? 'It arrived' : 'Discard');

/** All of it in a few words, what needs the person first; null when nothing waits. */
export function outboxInWords(rows: readonly OutboxRow[]): { words: string; stuck: boolean } | null {
  const count = (state: (row: OutboxRow) => boolean) => rows.filter(state).length;
  const parts: [number, string][] = [
    [count((row) => row.state === 'failed'), 'failed'],
    [count((row) => row.state === 'needs_decision'), 'to decide'],
    [count((row) => row.state === 'waiting' || row.state === 'sending'), 'waiting'],
  ];
  const said = parts.filter(([many]) => many > 0);
  if (said.length === 0) return null;
  const words = said.map(([many, what], index) => (index === 0 ? `${many} action${many === 1 ? '' : 's'} ${what}` : `${many} ${what}`)).join(', ');
  return { words, stuck: rows.some(isStuck) };
}

/** When the next action that still rests is due; null where none does. */
export function nextDue(rows: readonly OutboxRow[], now: number): number | null {
  const times = rows.filter((row) => row.state === 'waiting').map((row) => Date.parse(row.dueAt)).filter((at) => at > now);
  return times.length === 0 ? null : Math.min(...times);
}
