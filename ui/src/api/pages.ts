import type { InfiniteData } from '@tanstack/react-query';

import type { ItemSummary, Page } from '../platform/wire';
import { stillIn } from './triage';

export type Pages = InfiniteData<Page, string | null>;

/** All rows of the loaded pages, each once: a row that moved between two reads is in both. */
export function rowsOf(data: Pick<Pages, 'pages'> | undefined): ItemSummary[] {
  if (!data) return [];
  const seen = new Set<string>();
  const rows: ItemSummary[] = [];
  for (const page of data.pages) {
    for (const item of page.items) {
      if (seen.has(item.id)) continue;
      seen.add(item.id);
      rows.push(item);
    }
  }
  return rows;
}

/**
 * Puts changed rows in the place of the old ones, and takes out what was removed or has left the
 * list's query. Rows keep their order: only a new answer of the engine moves them.
 */
export function patchPages(data: Pages, query: string, changed: readonly ItemSummary[], removed: readonly string[]): Pages {
  const news = new Map(changed.map((item) => [item.id, item]));
  const gone = new Set(removed);
  let touched = false;
  const pages = data.pages.map((page) => {
    if (!page.items.some((item) => news.has(item.id) || gone.has(item.id))) return page;
    touched = true;
    const items = page.items
      .filter((item) => !gone.has(item.id))
      .map((item) => news.get(item.id) ?? item)
      .filter((item) => !news.has(item.id) || stillIn(query, item));
    return { ...page, items };
  });
  return touched ? { ...data, pages } : data;
}

/** Whether rows changed that the list may have to show and does not hold. */
export function mayBeMissing(data: Pages, query: string, changed: readonly ItemSummary[]): boolean {
  const held = new Set(rowsOf(data).map((item) => item.id));
  return changed.some((item) => !held.has(item.id) && stillIn(query, item));
}

/**
 * Joins a fresh first page with the rows already loaded below it, or null where the two do not meet.
 * A person far down a long list gets the news without all of it being read again.
 */
export function mergeHead(data: Pages, head: Page): Pages | null {
  const rows = rowsOf(data);
  const last = head.items.at(-1);
  const meets = last ? rows.findIndex((item) => item.id === last.id) : -1;
  if (meets < 0) return null;
  const fresh = new Set(head.items.map((item) => item.id));
  const replaced = new Set(rows.slice(0, meets + 1).map((item) => item.id));
  const pages = data.pages.map((page, index) => {
    const rest = page.items.filter((item) => !replaced.has(item.id) && !fresh.has(item.id));
    return index === 0 ? { ...page, items: [...head.items, ...rest] } : { ...page, items: rest };
  });
  return { ...data, pages };
}
