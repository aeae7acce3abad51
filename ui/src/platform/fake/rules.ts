import type { DevRigError, EngineEvent, Item, Rule, RuleDraft, SplitInfo } from '../wire';
import type { Calls } from '../wire';

const LABELS: Record<string, string> = { done: 'Done', read: 'Marked read', star: 'Starred', mute: 'Muted', setPriority: 'Priority', addLabels: 'Labelled' };

const words = (draft: RuleDraft) =>
  [...(draft.operations ?? []).map((each) => LABELS[each.kind] ?? each.kind), ...(draft.snooze ? [`Snoozed ${draft.snooze}`] : []), ...(draft.notify ? ['Told of'] : [])].join(', ');

const refused = (message: string): DevRigError => ({ code: 'INVALID_INPUT', category: 'permanent', message, hint: null, retryable: false });

/** Rules and splits of a made-up engine: kept, tried and counted, but applied to nothing. */
export function rulesAndSplits(matching: (query: string) => Item[], emit: (event: EngineEvent) => void) {
  const make = (id: string, draft: RuleDraft, applied: number): Rule => ({
    id, name: draft.name, query: draft.query, operations: draft.operations ?? [], snooze: draft.snooze ?? null, notify: draft.notify ?? false, enabled: draft.enabled ?? true, applied,
    appliedAt: applied > 0 ? '2026-03-12T08:00:00.000Z' : null, words: words(draft),
  });
  let rules = [
    make('shipped-ended', { name: 'Done when merged or closed', query: 'is:inbox state:merged,closed -reason:mention', operations: [{ kind: 'done' }] }, 41),
    make('shipped-bots', { name: 'Bots are read and of low priority', query: 'is:inbox is:unread author:dependabot', operations: [{ kind: 'read' }, { kind: 'setPriority', priority: 'low' }] }, 7),
  ];
  let splits = [{ name: 'Needs me', query: 'is:actionable', notify: true, badge: true }, { name: 'Conflicts', query: 'state:conflict', notify: false, badge: false }];
  const counted = (): SplitInfo[] => splits.map((split) => ({ ...split, count: matching(`is:inbox ${split.query}`).length }));
  const stale = (tag: 'rules' | 'settings') => setTimeout(() => emit({ type: 'stale', tags: [tag] }), 0);
  const check = (draft: RuleDraft) => {
    if (draft.name.trim() === '') throw refused("a rule's name has 1 to 100 characters on one line");
    if ((draft.operations ?? []).length === 0 && !draft.snooze && !draft.notify) throw refused('the rule does nothing');
    return matching(draft.query);
  };
  return {
    rule_list: () => rules.map((rule) => ({ ...rule })),
    rule_save: ({ id, rule }) => {
      check(rule);
      const saved = make(id ?? `rule_${rules.length}`, rule, 0);
      rules = id ? rules.map((each) => (each.id === id ? saved : each)) : [...rules, saved];
      stale('rules');
      return saved;
    },
    rule_delete: ({ id }) => {
      rules = rules.filter((rule) => rule.id !== id);
      stale('rules');
      return null;
    },
    rule_try: ({ rule }) => {
      const found = check(rule);
      return { matching: found.length, changing: found.length, items: found.slice(0, 20), words: words(rule) };
    },
    split_list: counted,
    split_set: (args) => {
      splits = args.splits.map((split) => ({ notify: false, badge: false, ...split }));
      stale('settings');
      return counted();
    },
  } satisfies { [N in keyof Calls]?: (args: Parameters<Calls[N]>[0]) => ReturnType<Calls[N]> };
}
