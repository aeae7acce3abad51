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

/** A split as its line of text has it. */
export type SplitLine = { name: string; query: string; notify: boolean; badge: boolean };

export function splitsToText(splits: readonly SplitLine[]): string {
  return splits
    .map(({ name, query, notify, badge }) => {
      const asked = [notify && 'notify', badge && 'badge'].filter(Boolean).join(', ');
      return `${name}${asked && ` [${asked}]`} = ${query}\n`;
    })
    .join('');
}

/** Lines `Name = query` or `Name [notify, badge] = query`; what cannot be one is left for the engine to name. */
export function splitsFromText(text: string): SplitLine[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? lineOf(line, '') : lineOf(line.slice(0, at).trim(), line.slice(at + 1).trim());
    });
}

function lineOf(heading: string, query: string): SplitLine {
  const found = /^(.*?)\s*\[([^[\]]*)\]$/.exec(heading);
  const asked = found ? found[2]!.split(',').map((word) => word.trim()).filter(Boolean) : [];
  // A word that is neither stays in the name, where the engine refuses its brackets.
  if (!found || asked.some((word) => word !== 'notify' && word !== 'badge')) return { name: heading, query, notify: false, badge: false };
  return { name: found[1]!, query, notify: asked.includes('notify'), badge: asked.includes('badge') };
}

/** Where the query of the line under the caret lies, or null where the caret is in a name or a comment. */
export function queryAt(text: string, caret: number): { from: number; to: number } | null {
  const begin = text.lastIndexOf('\n', caret - 1) + 1;
  const end = text.indexOf('\n', caret);
  const equals = text.indexOf('=', begin);
  if (equals < 0 || equals >= caret || text.slice(begin, caret).trimStart().startsWith('#')) return null;
  return { from: equals + 1, to: end < 0 ? text.length : end };
}
