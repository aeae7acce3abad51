import type { InboxStats, PluginInfo } from '../platform/wire';
import type { IconName } from '../components/Icon';

export type View = { id: string; name: string; query: string; icon: IconName; count: number | null };

/** The fixed views; counts come from the engine. */
export function fixedViews(stats: InboxStats | undefined): View[] {
  return [
    { id: 'inbox', name: 'Inbox', query: 'is:inbox', icon: 'inbox', count: stats?.inbox ?? null },
    { id: 'unread', name: 'Unread', query: 'is:inbox is:unread', icon: 'unread', count: stats?.unread ?? null },
    { id: 'starred', name: 'Starred', query: 'is:starred', icon: 'star', count: stats?.starred ?? null },
    { id: 'snoozed', name: 'Snoozed', query: 'is:snoozed', icon: 'clock', count: stats?.snoozed ?? null },
    { id: 'done', name: 'Done', query: 'is:done', icon: 'check', count: stats?.done ?? null },
    { id: 'all', name: 'All', query: 'is:any', icon: 'layers', count: null },
  ];
}

export type Source = View & { accountId: string; plugin: string };

/** One view for each account that is in use, and for items pushed by scripts once there are any. */
export function sourceViews(plugins: readonly PluginInfo[], stats: InboxStats | undefined): Source[] {
  const counts = new Map(stats?.bySource.map((each) => [each.accountId, each.inbox]));
  const source = (accountId: string, plugin: string, name: string): Source => ({
    id: `source:${accountId}`, name, query: `is:inbox from:${accountId}`, icon: sourceIcon(plugin), count: counts.get(accountId) ?? 0, accountId, plugin,
  });
  const accounts = plugins.flatMap((plugin) =>
    plugin.state === 'disabled' ? [] : plugin.accounts.map((account) => source(account.id, plugin.name, account.name)),
  );
  return counts.has('import') ? [...accounts, source('import', 'import', 'Imported')] : accounts;
}

export function sourceIcon(plugin: string): IconName {
  if (plugin.includes('git')) return 'branch';
  return plugin === 'import' ? 'import' : 'plug';
}

/** The whole query of a view with the person's filter; a filter that names a place of its own wins over the view's. */
export function joinQuery(view: string, filter: string): string {
  const own = filter.trim();
  if (own === '') return view;
  const base = /(^|\s)-?is:(inbox|done|snoozed|muted|starred|any)\b/i.test(own)
    ? view.split(' ').filter((token) => !/^is:(inbox|done|snoozed|muted|starred|any)$/.test(token)).join(' ')
    : view;
  const safe = /\sor\s|\(/i.test(own) ? `(${own})` : own;
  return `${base} ${safe}`.trim();
}

/** The parts of a filter, to be shown as chips that can be taken away one by one. */
export function filterParts(filter: string): string[] {
  if (/\sor\s|\(/i.test(filter)) return [filter.trim()];
  return filter.match(/-?[a-z]+:"[^"]*"|-?"[^"]*"|\S+/gi) ?? [];
}
