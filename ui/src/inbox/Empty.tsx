import { Button } from '../components/Button';
import { Icon } from '../components/Icon';
import { keyLabel } from '../keys/keymap';
import { whenInWords } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { InboxStats } from '../platform/wire';
import { filterParts, type View } from './views';

/** Empty by success. */
export function EmptyView({ view, stats, onView }: { view: View; stats: InboxStats | undefined; onView: (id: string) => void }) {
  const now = useNow();
  const waiting = view.id === 'inbox' || view.id === 'unread' || view.id.startsWith('source:');
  return (
    <div role="status" className="flex flex-col items-start gap-2 px-4 py-6">
      <p className="text-pane font-semibold">{waiting ? 'Nothing waiting' : `Nothing in ${view.name}`}</p>
      {waiting && stats?.nextWake && <p className="text-t2">The next snoozed item returns {whenInWords(stats.nextWake, now)}.</p>}
      {view.id !== 'all' && (
        <Button kind="default" onClick={() => onView('all')}>
          Show all items
        </Button>
      )}
    </div>
  );
}

/** Empty by filter: its parts can be taken away one by one. */
export function EmptyByFilter({ filter, onFilter }: { filter: string; onFilter: (filter: string) => void }) {
  const parts = filterParts(filter);
  return (
    <div role="status" className="flex flex-col items-start gap-3 px-4 py-6">
      <p className="text-pane font-semibold">Nothing matches the filter</p>
      <div className="flex flex-wrap gap-1">
        {parts.map((part, index) => (
          <button
            key={`${index}-${part}`}
            type="button"
            aria-label={`Remove ${part}`}
            onClick={() => onFilter(parts.filter((_, other) => other !== index).join(' '))}
            className="inline-flex h-6 max-w-full items-center gap-1 rounded-ctl bg-bg2 px-2 font-mono text-sec text-t1 hover:bg-sel"
          >
            <span className="truncate">{part}</span>
            <Icon name="close" className="size-3 text-t2" />
          </button>
        ))}
      </div>
      <Button onClick={() => onFilter('')}>Clear ({keyLabel('back')})</Button>
    </div>
  );
}
