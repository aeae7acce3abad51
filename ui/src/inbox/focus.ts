/** The id that lies `by` rows from the focused one; the first row when nothing is focused. */
export function moved(ids: readonly string[], focused: string | null, by: number): string | null {
  if (ids.length === 0) return null;
  const at = focused === null ? -1 : ids.indexOf(focused);
  if (at < 0) return by > 0 || ids.length === 1 ? ids[0]! : ids.at(-1)!;
  return ids[Math.min(ids.length - 1, Math.max(0, at + by))]!;
}

export type AfterTriage = 'next' | 'previous' | 'stay';

/** Where the focus goes when rows leave: the nearest row that remains, in the direction the person likes. */
export function afterLeaving(ids: readonly string[], leaving: ReadonlySet<string>, focused: string | null, way: AfterTriage): string | null {
  if (focused === null || !leaving.has(focused) || way === 'stay') return focused;
  const at = ids.indexOf(focused);
  // Far from what is on screen, and what is on screen does not move.
  if (at < 0) return focused;
  const below = ids.slice(at + 1).find((id) => !leaving.has(id)) ?? null;
  const above = ids.slice(0, at).findLast((id) => !leaving.has(id)) ?? null;
  return way === 'previous' ? (above ?? below) : (below ?? above);
}

/** The focused id if it is there, else the row that took its place. */
export function resolved(ids: readonly string[], focused: string | null, lastIndex: number): string | null {
  if (ids.length === 0) return null;
  if (focused !== null && ids.includes(focused)) return focused;
  return ids[Math.min(Math.max(0, lastIndex), ids.length - 1)]!;
}

/** All ids between two rows, both included. */
export function between(ids: readonly string[], from: string, to: string): string[] {
  const [a, b] = [ids.indexOf(from), ids.indexOf(to)].sort((x, y) => x - y) as [number, number];
  return a < 0 ? [] : ids.slice(a, b + 1);
}

/** How many rows have come before `anchor`; rows that were only put in another order are not new. */
export function cameAbove(before: readonly string[], after: readonly string[], anchor: string | null): number {
  const is = anchor === null ? -1 : after.indexOf(anchor);
  if (is <= 0) return 0;
  const held = new Set(before);
  return after.slice(0, is).filter((id) => !held.has(id)).length;
}

/**
 * Keeps the open row in the list when a fresh answer no longer has it (it was read in the unread view,
 * say): it stays where it was until the person moves on.
 */
export function withKept<T extends { id: string }>(before: readonly T[], after: readonly T[], keep: string | null): T[] {
  if (keep === null || after.some((row) => row.id === keep)) return [...after];
  const at = before.findIndex((row) => row.id === keep);
  if (at < 0) return [...after];
  const there = new Set(after.map((row) => row.id));
  const neighbour = before.slice(0, at).findLast((row) => there.has(row.id));
  const place = neighbour ? after.findIndex((row) => row.id === neighbour.id) + 1 : 0;
  return [...after.slice(0, place), before[at]!, ...after.slice(place)];
}
