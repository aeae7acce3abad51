import type { SplitInfo } from '../platform/wire';
import type { View } from './views';

/** The person's own views, by name: a split that is renamed is another one. */
export function splitViews(splits: readonly SplitInfo[]): View[] {
  return splits.map(({ name, query, count }) => ({ id: `split:${name}`, name, query: placed(query), icon: 'layers', count }));
}

/** A query without a place means the inbox; said aloud, so that a filter can be joined to it. */
function placed(query: string): string {
  const says = /(^|[\s(])-?is:(inbox|done|snoozed|muted|starred|any)\b|(^|\s)thread:/i.test(query);
  const whole = /\sor\s/i.test(query) ? `(${query})` : query;
  return says ? whole : `is:inbox ${whole}`.trim();
}

export const splitsToText = (splits: readonly { name: string; query: string }[]) => splits.map(({ name, query }) => `${name} = ${query}\n`).join('');

/** Lines `Name = query`; what cannot be one is left for the engine to name. */
export function splitsFromText(text: string): { name: string; query: string }[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? { name: line, query: '' } : { name: line.slice(0, at).trim(), query: line.slice(at + 1).trim() };
    });
}

/** Where the query of the line under the caret lies, or null where the caret is in a name or a comment. */
export function queryAt(text: string, caret: number): { from: number; to: number } | null {
  const begin = text.lastIndexOf('\n', caret - 1) + 1;
  const end = text.indexOf('\n', caret);
  const equals = text.indexOf('=', begin);
  if (equals < 0 || equals >= caret || text.slice(begin, caret).trimStart().startsWith('#')) return null;
  return { from: equals + 1, to: end < 0 ? text.length : end };
}
