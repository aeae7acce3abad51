import type { Calls, EngineEvent, Item, OperationDone } from '../wire';
import type { CallName } from '../platform';
import { applied } from '../../api/triage';
import { makeItem, NOW } from './items';
import { pageOf } from './page';

/**
 * An inbox of so many items that they are made only when they are asked for. Item `n` is the n-th of the
 * order; what was done has left it. Queries are not looked at.
 */
export function generated(count: number, emit: (event: EngineEvent) => void) {
  const left = new Set<number>();
  const idOf = (n: number) => `row_${String(n).padStart(8, '0')}`;
  const numberOf = (id: string) => Number(id.slice(4));
  const make = (n: number): Item => {
    const item = makeItem(n);
    const at = new Date(NOW - n * 60_000).toISOString();
    // The later in the order, the less it is as text, like a time.
    return { ...item, id: idOf(n), title: `Item ${n + 1}`, activityAt: at, position: idOf(count - n) };
  };
  /** The item at a place of the order, which those that left do not count in. */
  const nth = (index: number) => [...left].sort((a, b) => a - b).reduce((n, gone) => (gone <= n ? n + 1 : n), index);
  const indexOf = (n: number) => n - [...left].filter((gone) => gone < n).length;
  const length = () => count - left.size;

  return {
    inbox_list: (args) => pageOf(args, length(), (cursor) => indexOf(count - numberOf(cursor)), (index) => make(nth(index))),
    inbox_get: ({ id }) => make(numberOf(id)),
    inbox_count: () => ({ count: length(), capped: false }),
    inbox_operate: ({ operation, target }): OperationDone => {
      const at = new Date(NOW).toISOString();
      const items = (target.ids ?? []).map((id) => make(numberOf(id))).map((item) => ({ ...item, triage: applied(item.triage, operation, at) }));
      for (const item of items) if (item.triage.doneAt !== null) left.add(numberOf(item.id));
      setTimeout(() => emit({ type: 'stale', tags: ['counts', 'operations'] }), 0);
      return { operationId: 'op_generated', label: operation.kind === 'done' ? 'Done' : 'Changed', changed: items.length, items };
    },
  } satisfies { [N in CallName]?: (args: Parameters<Calls[N]>[0]) => ReturnType<Calls[N]> };
}
