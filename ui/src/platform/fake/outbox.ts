import type { Calls, DevRigError, Item, OutboxRow } from '../wire';
import { BUILDS, GIT, NOW } from './items';
import type { Scenario } from './scenario';

type Seed = { label: string; action: string; state: OutboxRow['state']; item: RegExp; account: string; error?: string; dueMs?: number };

/** More of it than the plain scenario has: every state, two accounts, and actions behind others. */
const SEEDS: Seed[] = [
  { label: 'Comment', action: 'comment', state: 'needs_decision', item: /^Build 4,182/, account: BUILDS, error: 'DevRig ended while it was being sent' },
  { label: 'Restart build', action: 'restart', state: 'sending', item: /^Build 4,182/, account: BUILDS },
  { label: 'Mark as flaky', action: 'flaky', state: 'waiting', item: /^Nightly build/, account: BUILDS },
  { label: 'Fetch', action: 'fetch', state: 'waiting', item: /^main is 7/, account: GIT, dueMs: 4000 },
  { label: 'Push', action: 'push', state: 'waiting', item: /^fix\/retry/, account: GIT, dueMs: 4500 },
];

const row = (id: string, item: Item, seed: Omit<Seed, 'item'>): OutboxRow => ({
  id, operationId: `op_${id}`, itemId: item.id, title: item.title, accountId: seed.account, action: seed.action, label: seed.label, state: seed.state,
  error: seed.error ?? null, idempotencyKey: `key_${id}`, dueAt: new Date(NOW + (seed.dueMs ?? -60_000)).toISOString(), createdAt: new Date(NOW - 60_000).toISOString(),
});

function makeOutbox(items: readonly Item[], { outbox, offline }: Scenario): OutboxRow[] {
  const full = outbox === 'full';
  const rows = items.filter((item) => item.outbox !== null).map((item) =>
    row(`out_${item.id}`, item, {
      label: 'Restart', action: 'restart', account: item.accountId, state: item.outbox === 'failed' ? 'failed' : 'waiting',
      ...(item.outbox === 'failed' ? { error: 'builds.example.com refused the token' } : {}),
    }),
  );
  const more = full ? SEEDS : [];
  return [...rows.filter((each) => !full || each.state === 'failed'), ...more.flatMap((seed, n) => {
    const item = items.find((each) => seed.item.test(each.title));
    return item ? [row(`out_more_${n}`, item, offline && seed.state === 'sending' ? { ...seed, state: 'waiting' } : seed)] : [];
  })];
}

const refused = (code: string, message: string): DevRigError => ({ code, category: 'permanent', message, hint: null, retryable: false });

/** Actions on their way: cancelled, sent again and discarded as asked, but never sent. `onChange` hears how an item's action stands. */
export function outbox(items: readonly Item[], scenario: Scenario, onChange: (itemId: string | null, state: string | null) => void) {
  let rows = makeOutbox(items, scenario);
  const change = (id: string, states: readonly OutboxRow['state'][], to: OutboxRow['state'] | null) => {
    const found = rows.find((each) => each.id === id);
    if (!found) throw refused('NOT_FOUND', `the action ${id} is not in the outbox`);
    if (!states.includes(found.state)) throw refused('CONFLICT', `the action is ${found.state}`);
    rows = to === null ? rows.filter((each) => each.id !== id) : rows.map((each) => (each.id === id ? { ...each, state: to, error: null } : each));
    onChange(found.itemId, rows.find((each) => each.itemId === found.itemId)?.state ?? null);
    return null;
  };
  return {
    outbox_list: () => rows,
    outbox_cancel: ({ id }) => change(id, ['waiting'], null),
    outbox_retry: ({ id }) => change(id, ['failed', 'needs_decision'], 'waiting'),
    outbox_discard: ({ id }) => change(id, ['failed', 'needs_decision'], null),
  } satisfies { [N in keyof Calls]?: (args: Parameters<Calls[N]>[0]) => ReturnType<Calls[N]> };
}
