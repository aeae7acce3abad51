import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { engineQuery, keychainQuery, outboxQuery, syncQuery } from '../api/queries';
import { Icon } from '../components/Icon';
import { CommandKey } from '../components/Kbd';
import { useKeys } from '../keys/current';
import { keyLabel, type CommandId } from '../keys/keymap';
import { cx } from '../lib/cx';
import { outboxInWords } from '../outbox/words';
import type { SyncStatus } from '../platform/wire';

/** Connection, running syncs, what waits, and the keys of the region in focus. */
export function StatusBar() {
  const { data: engine } = useQuery(engineQuery());
  const { data: keychain } = useQuery(keychainQuery());
  const { data: syncs = [] } = useQuery(syncQuery());
  const running = syncs.filter((sync) => sync.state === 'syncing');
  return (
    <footer aria-label="Status" data-region="status" tabIndex={-1} className="flex h-6 shrink-0 items-center gap-4 overflow-hidden border-t border-line bg-bg0 px-3 text-meta whitespace-nowrap text-t2">
      <Connection online={engine?.online ?? true} known={engine !== undefined} />
      <Waiting />
      {keychain && keychain.state !== 'ready' && (
        <Link to="/settings" className="flex items-center gap-1 rounded-ctl text-warn hover:underline">
          <Icon name="key" className="size-3" />
          Keychain {keychain.state}
        </Link>
      )}
      {running.length > 0 && (
        <span className="flex min-w-0 items-center gap-1 truncate text-info">
          <Icon name="retry" className="size-3" />
          {running.map(syncWords).join(', ')}
        </span>
      )}
      <Hints />
    </footer>
  );
}

function Connection({ online, known }: { online: boolean; known: boolean }) {
  if (!known) return <span>Starting</span>;
  if (!online) {
    return (
      <span className="flex items-center gap-1 text-warn">
        <Icon name="offline" className="size-3" />
        Offline
      </span>
    );
  }
  return (
    <span className="flex items-center gap-1">
      <span className="size-1.5 rounded-full bg-ok" />
      Online
    </span>
  );
}

/** What is not through towards the sources, and the way to it. */
function Waiting() {
  const { data: rows = [] } = useQuery(outboxQuery());
  const outbox = outboxInWords(rows);
  if (outbox === null) return null;
  return (
    <Link to="/outbox" className={cx('flex items-center gap-1 rounded-ctl hover:underline', outbox.stuck ? 'text-err' : 'text-t2')}>
      <Icon name={outbox.stuck ? 'alert' : 'clock'} className="size-3" />
      {outbox.words}
    </Link>
  );
}

function syncWords(sync: SyncStatus): string {
  const { progress } = sync;
  if (!progress) return `Syncing ${sync.name}`;
  const count = progress.total === null ? `${progress.current}` : `${progress.current}/${progress.total}`;
  return `Syncing ${sync.name} ${count}`;
}

const HINTS: Record<string, readonly CommandId[]> = {
  list: ['done', 'snooze', 'read', 'undo', 'keys'],
  pane: ['back', 'done', 'source', 'actions', 'keys'],
  outbox: ['next', 'open', 'keys'],
  history: ['next', 'undo', 'redo', 'keys'],
  other: ['goInbox', 'palette', 'nextRegion', 'keys'],
};

const SHORT: Partial<Record<CommandId, string>> = { back: 'back', snooze: 'snooze', read: 'read/unread', source: 'open', actions: 'actions', palette: 'commands', nextRegion: 'region', goInbox: 'inbox', next: 'next', open: 'open item', redo: 'redo' };
const LABELS: Partial<Record<CommandId, string>> = { done: 'done', undo: 'undo', keys: 'all keys', filter: 'filter' };

function Hints() {
  useKeys();
  const focused = useFocusedRegion();
  const path = useLocation({ select: (at) => at.pathname });
  const region = path.startsWith('/inbox') ? focused : (['outbox', 'history'].find((page) => path.startsWith(`/${page}`)) ?? 'other');
  return (
    <span aria-hidden className="ml-auto flex shrink-0 items-center gap-3">
      {(HINTS[region] ?? HINTS['other']!).filter((id) => keyLabel(id) !== undefined).map((id) => (
        <span key={id} className="flex items-center gap-1">
          <CommandKey command={id} />
          {SHORT[id] ?? LABELS[id]}
        </span>
      ))}
    </span>
  );
}

function useFocusedRegion(): string {
  const [region, setRegion] = useState('list');
  useEffect(() => {
    const onFocus = (event: FocusEvent) => {
      const name = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-region]')?.dataset['region'] : undefined;
      if (name) setRegion(name);
    };
    document.addEventListener('focusin', onFocus);
    return () => document.removeEventListener('focusin', onFocus);
  }, []);
  return region;
}
