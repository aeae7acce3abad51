import { useQuery } from '@tanstack/react-query';
import type { KeyboardEvent, ReactNode } from 'react';

import { pluginsQuery, syncQuery } from '../api/queries';
import { IconButton } from '../components/Button';
import { Chip } from '../components/Chip';
import { Icon } from '../components/Icon';
import type { PluginInfo, SyncStatus } from '../platform/wire';
import { moveInBar } from '../shell/regions';
import type { Source, View } from './views';

type Props = { views: readonly View[]; splits: readonly View[]; sources: readonly Source[]; current: string; onPick: (id: string) => void; onEditSplits: () => void };

/** Views and sources with their counts. */
export function Sidebar({ views, splits, sources, current, onPick, onEditSplits }: Props) {
  const { data: syncs = [] } = useQuery(syncQuery());
  const { data: plugins = [] } = useQuery(pluginsQuery());
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (moveInBar(event.currentTarget, event.key)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <nav aria-label="Views" data-region="sidebar" data-own-arrows onKeyDown={onKeyDown} className="min-h-0 flex-1 overflow-y-auto bg-bg0 px-2 py-1.5">
      <ul>
        {views.map((view) => (
          <Entry key={view.id} view={view} current={view.id === current} onPick={onPick} />
        ))}
      </ul>
      <div className="flex items-center pt-4 pb-1 pl-2">
        <h2 className="flex-1 text-sec font-medium text-t2">Splits</h2>
        <IconButton icon="plus" label="Edit splits" data-bar-item tabIndex={-1} onClick={onEditSplits} />
      </div>
      <ul>
        {splits.map((view) => (
          <Entry key={view.id} view={view} current={view.id === current} onPick={onPick} />
        ))}
      </ul>
      {sources.length > 0 && (
        <>
          <h2 className="px-2 pt-4 pb-1 text-sec font-medium text-t2">Sources</h2>
          <ul>
            {sources.map((source) => (
              <Entry key={source.id} view={source} current={source.id === current} onPick={onPick}>
                <SourceState accountId={source.accountId} syncs={syncs} plugins={plugins} />
              </Entry>
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

function Entry({ view, current, onPick, children }: { view: View; current: boolean; onPick: (id: string) => void; children?: ReactNode }) {
  return (
    <li>
      <button
        type="button"
        data-bar-item
        {...(current ? { 'data-region-stop': '', 'aria-current': 'page' as const } : {})}
        tabIndex={current ? 0 : -1}
        onClick={() => onPick(view.id)}
        className="ring-inset-focus flex h-7 w-full items-center gap-2 rounded-ctl px-2 text-left text-t1 hover:bg-bg2 aria-[current]:bg-sel aria-[current]:font-medium"
      >
        <Icon name={view.icon} className="text-t2" />
        <span className="min-w-0 flex-1 truncate">{view.name}</span>
        {children}
        {view.count !== null && view.count > 0 && <span className="tnum text-sec font-normal text-t2">{view.count.toLocaleString('en')}</span>}
      </button>
    </li>
  );
}

function SourceState({ accountId, syncs, plugins }: { accountId: string; syncs: readonly SyncStatus[]; plugins: readonly PluginInfo[] }) {
  const own = syncs.filter((sync) => sync.account === accountId);
  const plugin = plugins.find((each) => each.accounts.some((account) => account.id === accountId));
  const waiting = plugin?.accounts.find((account) => account.id === accountId)?.waiting;
  const failed = own.find((sync) => sync.state === 'error');
  if (plugin?.state === 'quarantined' || plugin?.state === 'error') {
    return (
      <Chip tone="err" title={plugin.error?.message}>
        stopped
      </Chip>
    );
  }
  if (failed) {
    const auth = failed.error?.code === 'UNAUTHORIZED';
    const limited = failed.error?.code === 'RATE_LIMITED';
    return (
      <Chip tone={limited ? 'warn' : 'err'} title={failed.error?.message}>
        {auth ? 'sign in' : limited ? 'limited' : 'failed'}
      </Chip>
    );
  }
  if (waiting) {
    return (
      <Chip tone="warn" title={waiting}>
        waiting
      </Chip>
    );
  }
  if (own.some((sync) => sync.state === 'syncing')) return <Chip tone="info">syncing</Chip>;
  return null;
}
