import type { OperationRow } from '../wire';
import { NOW } from './items';

type Seed = { label: string; kind: string; hours: number; items: string[]; count?: number; actor?: OperationRow['actor']; cause?: string; undone?: boolean; undoable?: boolean };

const SEEDS: Seed[] = [
  { label: 'Done', kind: 'done', hours: 0.3, items: ['Nightly build failed: 2 of 318 tests', 'fix/empty-page is 7 commits behind main', 'Stash from 3 weeks ago: "WIP before the demo"'], count: 12 },
  { label: 'Snoozed', kind: 'snooze', hours: 0.6, items: ['Release checklist for 2.4 comes back on Monday'] },
  { label: 'Marked read', kind: 'read', hours: 1, items: ['chore/bump-deps: 2 commits not pushed', 'chore/bump-deps has no upstream yet', 'Build 4,180 passed'], count: 41, actor: 'rule', cause: 'rule Dependency bots are read' },
  { label: 'Muted', kind: 'mute', hours: 1.4, items: ['Merge of origin/main into spike/wasm was never committed'], undone: true },
  { label: 'Priority set', kind: 'setPriority', hours: 2.2, items: ['Rebase stopped: 3 files conflict on feature/keyset-paging'], actor: 'ai' },
  { label: 'Woken', kind: 'unsnooze', hours: 3, items: ['docs/keys: 3 commits not pushed'], actor: 'system', cause: 'snooze' },
  { label: 'Restart build', kind: 'action', hours: 20, items: ['Nightly build failed: 2 of 318 tests'], undoable: false },
  { label: 'Done', kind: 'done', hours: 20.1, items: ['Build 4,181 is green again', 'Build 4,179 is green again'], actor: 'plugin', cause: 'plugin devrig-plugin-builds' },
  { label: 'Labelled', kind: 'addLabels', hours: 22, items: ['spike/arrow: 5 commits not pushed', 'feature/audit-log has no upstream yet'], actor: 'flow', cause: 'flow Morning sweep' },
  { label: 'Done', kind: 'done', hours: 50, items: ['dotfiles: HEAD points nowhere'], actor: 'device' },
];

/** What was done before the page came, newest first: more than one page of it. */
export function makeHistory(): OperationRow[] {
  const seeds = [...SEEDS];
  for (let n = 0; n < 60; n += 1) {
    const read = n % 3 === 0;
    seeds.push({
      label: read ? 'Marked read' : 'Done', kind: read ? 'read' : 'done', hours: 70 + n * 9,
      items: [`Build ${4100 - n} passed`], undoable: n < 55,
    });
  }
  return seeds.map((seed, n) => ({
    id: `op_past_${n + 1}`, kind: seed.kind, label: seed.label, actor: seed.actor ?? 'person', cause: seed.cause ?? null,
    at: new Date(NOW - seed.hours * 3_600_000).toISOString(), count: seed.count ?? seed.items.length,
    undone: seed.undone ?? false, undoable: (seed.undoable ?? true) && !seed.undone, items: seed.items,
  }));
}
