import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';

import { itemQuery } from '../api/queries';
import { IconButton } from '../components/Button';
import { Chip } from '../components/Chip';
import { ErrorNote } from '../components/ErrorNote';
import { Icon } from '../components/Icon';
import { useDebounced } from '../lib/useDebounced';
import { agoInWords, exactTime } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { ItemSummary, PluginInfo } from '../platform/wire';
import { queryLike } from '../rules/draft';
import { ItemOutbox } from './ItemOutbox';
import { PluginActions } from './PluginActions';
import { chipsOf } from './Row';
import { untilInWords } from './snooze';
import { useInbox } from './state';
import type { Triage } from './useTriage';
import { sourceIcon } from './views';

const Markdown = lazy(() => import('../components/Markdown'));

type Props = { item: ItemSummary | null; plugins: readonly PluginInfo[]; triage: Triage; onBack: (() => void) | null };

/** The item in focus. Its head comes from the row at once; its body follows when the focus rests. */
export function ReadingPane({ item, plugins, triage, onBack }: Props) {
  if (!item) return <p className="m-auto text-t2">No item in focus</p>;
  return (
    <>
      <Toolbar item={item} triage={triage} onBack={onBack} />
      {/* The pane scrolls, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <article tabIndex={0} data-region-stop data-own-arrows aria-label={item.title} className="ring-inset-focus min-h-0 flex-1 overflow-y-auto px-6 pt-4 pb-8">
        <Head item={item} plugins={plugins} />
        <ItemOutbox item={item} />
        <PluginActions key={item.id} item={item} plugins={plugins} />
        <Body item={item} />
      </article>
    </>
  );
}

function Toolbar({ item, triage, onBack }: { item: ItemSummary; triage: Triage; onBack: (() => void) | null }) {
  const { doneAt, starredAt, readAt, muted, snoozedUntil } = item.triage;
  return (
    <div role="toolbar" aria-label="Item" className="flex h-10 shrink-0 items-center gap-0.5 border-b border-line px-3">
      {onBack && <IconButton icon="left" label="Back to the list" command="back" onClick={onBack} />}
      <IconButton icon={doneAt ? 'undo' : 'check'} label={doneAt ? 'Back to the inbox' : 'Done'} command="done" onClick={triage.done} />
      <IconButton icon="clock" label="Snooze" command="snooze" onClick={() => useInbox.setState({ snoozing: true })} />
      {snoozedUntil && <IconButton icon="inbox" label="Wake now" onClick={triage.wake} />}
      <IconButton icon="star" filled={starredAt !== null} label={starredAt ? 'Remove star' : 'Star'} command="star" onClick={triage.star} className={starredAt ? 'text-warn' : ''} />
      <IconButton icon="unread" label={readAt ? 'Mark unread' : 'Mark read'} command="read" onClick={triage.read} />
      <IconButton icon="mute" label={muted ? 'Unmute thread' : 'Mute thread'} command="mute" onClick={triage.mute} />
      <MakeRule item={item} />
      {item.sourceUrl && <IconButton icon="external" label="Open in browser" command="source" onClick={() => triage.openSource(item.id)} />}
    </div>
  );
}

/** Begins a rule for items like this one. */
function MakeRule({ item }: { item: ItemSummary }) {
  const navigate = useNavigate();
  return <IconButton icon="plus" label="Make a rule for items like this" className="ml-auto" onClick={() => void navigate({ to: '/rules', search: { query: queryLike(item) } })} />;
}

function Head({ item, plugins }: { item: ItemSummary; plugins: readonly PluginInfo[] }) {
  const now = useNow();
  const account = plugins.flatMap((plugin) => plugin.accounts).find((each) => each.id === item.accountId);
  const source = account?.name ?? (item.plugin === 'import' ? 'Imported' : item.plugin);
  return (
    <header className="mb-4 max-w-[76ch]">
      <h2 className="selectable text-pane font-semibold [overflow-wrap:anywhere]">{item.title}</h2>
      <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-sec text-t2">
        <Icon name={sourceIcon(item.plugin)} />
        <span>{source}</span>
        {item.repo && <span className="selectable font-mono">{item.repo}</span>}
        {item.actor && <span>by {item.actor}</span>}
        {item.reason && <span>{item.reason.replaceAll('_', ' ')}</span>}
        <time dateTime={item.activityAt} title={exactTime(item.activityAt)} className="text-t3">
          {agoInWords(item.activityAt, now)}
        </time>
      </p>
      <p className="mt-2 flex flex-wrap gap-1 empty:hidden">
        {item.triage.snoozedUntil && <Chip tone="warn">{untilInWords(item.triage.snoozedUntil, now)}</Chip>}
        {item.triage.doneAt && <Chip tone="ok">Done</Chip>}
        {item.triage.muted && <Chip>Muted</Chip>}
        {chipsOf(item).map((chip) => (
          <Chip key={chip.text} tone={chip.tone}>
            {chip.text}
          </Chip>
        ))}
      </p>
    </header>
  );
}

function Body({ item }: { item: ItemSummary }) {
  // Keys that are held move faster than anyone reads.
  const restingId = useDebounced(item.id, 60);
  const { data, error, refetch } = useQuery(itemQuery(restingId));
  if (restingId !== item.id) return null;
  if (error && !data) return <ErrorNote title="The item could not be read" error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  if (data.body.trim() === '') return <p className="text-t2">{item.preview || 'This item has no text.'}</p>;
  return (
    <Suspense fallback={null}>
      <Markdown text={data.body} />
    </Suspense>
  );
}
