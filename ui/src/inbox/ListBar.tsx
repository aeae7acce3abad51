import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState, type RefObject } from 'react';

import { useWrite } from '../api/mutations';
import { syncQuery } from '../api/queries';
import { Button, IconButton } from '../components/Button';
import { Icon } from '../components/Icon';
import { CommandKey } from '../components/Kbd';
import { keyLabel } from '../keys/keymap';
import { agoInWords } from '../lib/time';
import { useDebounced } from '../lib/useDebounced';
import { useNow } from '../lib/useNow';
import type { DevRigError } from '../platform/wire';
import { QueryField } from '../query/QueryField';
import { queryLike } from '../rules/draft';
import { GroupMenu } from './GroupMenu';
import { clearChecked, useInbox } from './state';
import type { InboxList } from './useInboxList';
import type { Triage } from './useTriage';
import type { View } from './views';

type Props = {
  view: View;
  list: InboxList;
  filter: string;
  error: DevRigError | null;
  onFilter: (filter: string) => void;
  triage: Triage;
  onSidebar: (() => void) | null;
};

/** The view's name and count, the filter, the sync dot; the selection takes its place while there is one. */
export function ListBar(props: Props) {
  const selected = useInbox((state) => (state.whole === null ? state.checked.size : null));
  if (selected !== 0) return <SelectionBar {...props} count={selected} />;
  return <ViewBar {...props} />;
}

function ViewBar({ view, list, filter, error, onFilter, onSidebar }: Props) {
  // What the filter offers hangs below the header, so that its error stays in sight.
  const header = useRef<HTMLElement>(null);
  return (
    <header ref={header} className="shrink-0">
      <div className="flex h-10 items-center gap-2 border-b border-line px-3">
        {onSidebar && <IconButton icon="sidebar" label="Show views" command="sidebar" onClick={onSidebar} className="-ml-1.5" />}
        <h1 className="truncate text-ui font-semibold">{view.name}</h1>
        {list.total !== null && (
          <span className="tnum text-sec text-t2">
            {list.total.toLocaleString('en')}
            {list.capped && '+'}
          </span>
        )}
        <FilterField filter={filter} error={error} below={header} onFilter={onFilter} />
        <GroupMenu view={view.id} />
        <SyncButton />
      </div>
      {error && <QueryError filter={filter} error={error} />}
    </header>
  );
}

function FilterField({ filter, error, below, onFilter }: { filter: string; error: DevRigError | null; below: RefObject<HTMLElement | null>; onFilter: (filter: string) => void }) {
  const [draft, setDraft] = useState(filter);
  const settled = useDebounced(draft, 150);
  // What was typed goes out once it rests; what comes from outside (Clear, another view) comes in.
  useEffect(() => {
    if (settled === draft && settled !== filter) onFilter(settled);
    // eslint-disable-next-line react/exhaustive-deps
  }, [settled]);
  useEffect(() => setDraft(filter), [filter]);
  return (
    <div className="ml-auto flex min-w-24 flex-1 basis-40 items-center">
      <Icon name="search" className="pointer-events-none relative z-10 -mr-6 ml-2 text-t3" />
      <QueryField
        id="filter"
        aria-label="Filter"
        aria-keyshortcuts={keyLabel('filter')}
        aria-invalid={error !== null}
        aria-describedby={error ? 'filter-error' : undefined}
        value={draft}
        placeholder={['Filter', keyLabel('filter')].filter(Boolean).join('  ')}
        onChange={setDraft}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onFilter(draft);
          if (event.key === 'Escape') {
            setDraft('');
            onFilter('');
          }
        }}
        className="w-full pl-7"
        below={below}
        align="end"
      />
    </div>
  );
}

/** The filter once more, with the place that is not understood underlined. */
function QueryError({ filter, error }: { filter: string; error: DevRigError }) {
  const column = Number(error.details?.column ?? 0);
  const length = Math.max(1, Number(error.details?.length ?? 1));
  const at = column > 0 ? column - 1 : -1;
  const letters = [...filter];
  return (
    <div id="filter-error" role="alert" className="border-b border-line px-3 py-1.5 text-sec">
      {at >= 0 && (
        <p className="selectable truncate font-mono text-t2">
          {letters.slice(0, at).join('')}
          <span className="text-err underline decoration-wavy underline-offset-4">{letters.slice(at, at + length).join('') || ' '}</span>
          {letters.slice(at + length).join('')}
        </p>
      )}
      <p className="text-err">{error.message}</p>
      {error.hint && <p className="text-t2">{error.hint}</p>}
    </div>
  );
}

function SyncButton() {
  const now = useNow();
  const { data: syncs = [] } = useQuery(syncQuery());
  const sync = useWrite('sync_now', 'Sync did not start');
  if (syncs.length === 0) return null;
  const running = syncs.some((each) => each.state === 'syncing');
  const failed = syncs.filter((each) => each.state === 'error').length;
  const last = syncs.flatMap((each) => each.lastSyncAt ?? []).sort().at(-1);
  const words = [
    running ? 'Syncing now' : last ? `Synced ${agoInWords(last, now)}` : 'Not synced yet',
    failed > 0 && `${failed} source${failed > 1 ? 's' : ''} failed`,
  ].filter(Boolean).join(', ');
  const dot = failed > 0 ? 'bg-err' : running ? 'bg-info' : 'bg-ok';
  return (
    <span className="relative">
      <IconButton icon="retry" label={`Sync now. ${words}`} disabled={running} onClick={() => sync.mutate({})} />
      <span aria-hidden className={`pointer-events-none absolute top-1 right-1 size-1.5 rounded-full ${dot}`} />
    </span>
  );
}

/** A rule for what is selected; where the whole view is, it is the view's own query. */
function RuleButton({ list }: { list: InboxList }) {
  const navigate = useNavigate();
  const checked = useInbox((state) => state.checked);
  const whole = useInbox((state) => state.whole !== null);
  const rows = list.rows.filter((item) => checked.has(item.id));
  const query = whole ? list.query : queryLike(...rows);
  return <IconButton icon="plus" label="Make a rule for items like these" className="ml-auto" onClick={() => void navigate({ to: '/rules', search: { query } })} />;
}

function SelectionBar({ list, triage, count }: Props & { count: number | null }) {
  const total = list.total === null ? 'All' : `All ${list.total.toLocaleString('en')}${list.capped ? '+' : ''}`;
  return (
    <header className="@container flex h-10 shrink-0 items-center gap-1 border-b border-line bg-sel px-3">
      <h1 className="tnum mr-1 shrink-0 font-semibold">{count === null ? `${total} in this view` : `${count} selected`}</h1>
      <Button kind="quiet" icon="check" onClick={triage.done}>
        Done <span className="hidden @md:inline"><CommandKey command="done" /></span>
      </Button>
      <Button kind="quiet" icon="clock" onClick={() => useInbox.setState({ snoozing: true })}>
        Snooze <span className="hidden @md:inline"><CommandKey command="snooze" /></span>
      </Button>
      <IconButton icon="unread" label="Read or unread" command="read" onClick={triage.read} />
      <IconButton icon="star" label="Star" command="star" onClick={triage.star} />
      <IconButton icon="mute" label="Mute thread" command="mute" onClick={triage.mute} />
      <RuleButton list={list} />
      <IconButton icon="close" label="Clear selection" command="back" onClick={clearChecked} />
    </header>
  );
}
