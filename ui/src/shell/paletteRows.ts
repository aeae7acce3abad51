import { defaultFilter } from 'cmdk';

import { OPERATORS } from '../query/operators';

const SECTIONS = ['Search', 'Recent', 'This item', 'Go to', 'Settings', 'Other'] as const;
export type Section = (typeof SECTIONS)[number];

/** One thing that the palette can do. `id` stays the same from one time to the next, for "recent first". */
export type PaletteRow = {
  id: string;
  section: Section;
  label: string;
  /** The key that does the same. */
  keys?: string;
  /** What it is, or how it stands, for rows without a key. */
  note?: string;
  run: () => void;
};

const OPERATOR = new RegExp(`(?:^|[\\s(])-?(?:${OPERATORS.map((operator) => operator.name).join('|')}):`, 'i');

/** The query that the text is, or null where it is the name of a command. */
export function asSearch(text: string): string | null {
  const query = text.trim();
  return OPERATOR.test(query) ? query : null;
}

export type Found = { section: Section; rows: PaletteRow[] };

/** How much a row that was picked lately goes before one that matches as well. */
const RECENT = 1.2;

/** The rows under their sections: all with the recent ones first, or those that match with the best first. */
export function found(rows: readonly PaletteRow[], text: string, recent: readonly string[]): Found[] {
  if (text.trim() === '') return bySection(recentFirst(rows, recent));
  const scores = new Map(rows.map((row) => [row, score(row, text) * (recent.includes(row.id) ? RECENT : 1)]));
  const matching = rows.filter((row) => scores.get(row)! > 0).sort((a, b) => scores.get(b)! - scores.get(a)!);
  return bySection(matching).sort((a, b) => scores.get(b.rows[0]!)! - scores.get(a.rows[0]!)!);
}

function score(row: PaletteRow, text: string): number {
  // A row of its own for what was typed, before all others.
  if (row.section === 'Search') return Number.POSITIVE_INFINITY;
  return defaultFilter(`${row.label} ${row.section}`, text.trim());
}

/** What was done last stands under "Recent", and no more where it usually is. */
function recentFirst(rows: readonly PaletteRow[], recent: readonly string[]): PaletteRow[] {
  const first = recent.flatMap((id) => rows.find((row) => row.id === id) ?? []);
  return [...first.map((row) => ({ ...row, section: 'Recent' as const })), ...rows.filter((row) => !recent.includes(row.id))];
}

function bySection(rows: readonly PaletteRow[]): Found[] {
  return SECTIONS.map((section) => ({ section, rows: rows.filter((row) => row.section === section) })).filter((each) => each.rows.length > 0);
}

const KEY = 'devrig.palette';
const KEPT = 5;

/** Ids of the rows that were picked last, the newest first. */
export function recentIds(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((id) => typeof id === 'string').slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function rememberPicked(id: string): void {
  const ids = [id, ...recentIds().filter((each) => each !== id)].slice(0, KEPT);
  localStorage.setItem(KEY, JSON.stringify(ids));
}
