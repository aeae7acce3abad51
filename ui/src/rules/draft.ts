import type { ItemSummary, OperationKind, Priority, Rule, RuleDraft } from '../platform/wire';

/** What the form holds: each thing that a rule can do, as a control shows it. */
export type Form = { name: string; query: string; done: boolean; read: boolean; star: boolean; mute: boolean; notify: boolean; priority: Priority | ''; label: string; snooze: string; enabled: boolean };

export const EMPTY: Form = { name: '', query: '', done: true, read: false, star: false, mute: false, notify: false, priority: '', label: '', snooze: '', enabled: true };

export function formOf(rule: Rule): Form {
  const has = (kind: OperationKind['kind']) => rule.operations.some((each) => each.kind === kind);
  const priority = rule.operations.find((each) => each.kind === 'setPriority');
  const labels = rule.operations.find((each) => each.kind === 'addLabels');
  return {
    name: rule.name, query: rule.query, enabled: rule.enabled, snooze: rule.snooze ?? '',
    done: has('done'), read: has('read'), star: has('star'), mute: has('mute'), notify: rule.notify,
    priority: priority?.priority ?? '', label: labels?.labels.join(', ') ?? '',
  };
}

export function draftOf(form: Form): RuleDraft {
  const operations: OperationKind[] = [];
  for (const kind of ['read', 'done', 'star', 'mute'] as const) if (form[kind]) operations.push({ kind });
  if (form.priority) operations.push({ kind: 'setPriority', priority: form.priority });
  const labels = form.label.split(',').map((label) => label.trim()).filter(Boolean);
  if (labels.length > 0) operations.push({ kind: 'addLabels', labels });
  return { name: form.name.trim(), query: form.query.trim(), operations, snooze: form.snooze.trim() || null, notify: form.notify, enabled: form.enabled };
}

const quoted = (value: string) => (/[\s,()"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value);

/** A query for items like these: the type, reason and repository that they share, and the author when it is a bot. */
export function queryLike(...items: readonly ItemSummary[]): string {
  const shared = (read: (item: ItemSummary) => string | null) => {
    const [first, ...rest] = items.map(read);
    return first && rest.every((each) => each === first) ? first : null;
  };
  const actor = shared((item) => item.actor);
  const parts = [
    ['type', shared((item) => item.type)],
    ['repo', shared((item) => item.repo)],
    ['reason', shared((item) => item.reason)],
    ['author', actor && /bot\b|\[bot\]/i.test(actor) ? actor : null],
  ] as const;
  return parts.flatMap(([operator, value]) => (value === null ? [] : [`${operator}:${quoted(value)}`])).join(' ');
}
