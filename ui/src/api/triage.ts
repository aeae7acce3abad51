import type { ItemSummary, OperationKind, Triage } from '../platform/wire';

/** What the person's side of an item will be; shown before the engine has confirmed it. */
export function applied(triage: Triage, operation: OperationKind, at: string): Triage {
  switch (operation.kind) {
    case 'read':
      return { ...triage, readAt: triage.readAt ?? at };
    case 'unread':
      return { ...triage, readAt: null };
    case 'done':
      return { ...triage, doneAt: at };
    case 'notDone':
      return { ...triage, doneAt: null };
    case 'snooze':
      return { ...triage, snoozedUntil: operation.until };
    case 'unsnooze':
      return { ...triage, snoozedUntil: null };
    case 'star':
      return { ...triage, starredAt: at };
    case 'unstar':
      return { ...triage, starredAt: null };
    case 'mute':
      return { ...triage, muted: true };
    case 'unmute':
      return { ...triage, muted: false };
    case 'addLabels':
      return { ...triage, labels: [...new Set([...triage.labels, ...operation.labels])] };
    case 'removeLabels':
      return { ...triage, labels: triage.labels.filter((label) => !operation.labels.includes(label)) };
    case 'setPriority':
      return { ...triage, priority: operation.priority };
  }
}

/**
 * Whether an item still has its place in a list. Only the operators that say *where* an item lies
 * decide: a row that was read stays in the unread view until the person leaves it, so that nothing
 * vanishes under their eyes. What cannot be told here is left to the engine's next answer.
 */
export function stillIn(query: string, item: ItemSummary): boolean {
  const { doneAt, snoozedUntil, muted } = item.triage;
  const here = doneAt === null && snoozedUntil === null && !muted;
  const tokens = query.toLowerCase().split(/\s+/);
  if (tokens.includes('or') || query.includes('(')) return true;
  const places = tokens.filter((token) => /^is:(inbox|done|snoozed|muted|starred|any)$/.test(token));
  if (places.length === 0) return here;
  return places.every((place) => {
    if (place === 'is:inbox') return here;
    if (place === 'is:done') return doneAt !== null;
    if (place === 'is:snoozed') return snoozedUntil !== null;
    if (place === 'is:muted') return muted;
    return true;
  });
}
