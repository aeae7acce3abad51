import { memo, useMemo } from 'react';

import { Chip, type Tone } from '../components/Chip';
import { Icon } from '../components/Icon';
import { cx } from '../lib/cx';
import { agoInWords, exactTime, shortTime } from '../lib/time';
import type { ItemSummary } from '../platform/wire';
import { untilInWords } from './snooze';
import { sourceIcon } from './views';

export type RowProps = {
  item: ItemSummary;
  /** Which one of all it is; null where that is not known. */
  place: number | null;
  setSize: number;
  focused: boolean;
  checked: boolean;
  comfortable: boolean;
  now: number;
  top: number;
  height: number;
};

export const rowId = (id: string) => `row-${id}`;

/** One item. Clicks are heard by the list, which reads `data-id` and `data-part`. */
export const Row = memo(function Row({ item, place, setSize, focused, checked, comfortable, now, top, height }: RowProps) {
  const label = useMemo(() => inWords(item, now), [item, now]);
  return (
    // The listbox has the focus and the keys; this is the option it points at.
    // eslint-disable-next-line jsx-a11y/interactive-supports-focus
    <div
      role="option"
      id={rowId(item.id)}
      data-id={item.id}
      aria-selected={checked}
      aria-posinset={place ?? undefined}
      aria-setsize={place === null ? undefined : setSize}
      aria-label={label}
      style={{ transform: `translateY(${top}px)`, height }}
      className={cx(
        'absolute inset-x-0 top-0 flex items-center gap-2 pr-3 pl-2',
        focused ? 'bg-sel before:absolute before:inset-y-0 before:left-0 before:w-0.5 before:bg-acc' : 'hover:bg-bg2',
      )}
    >
      <Content item={item} checked={checked} comfortable={comfortable} now={now} />
    </div>
  );
});

/** What the row shows: apart from its place, which changes for all rows below one that leaves. */
const Content = memo(function Content({ item, checked, comfortable, now }: Pick<RowProps, 'item' | 'checked' | 'comfortable' | 'now'>) {
  const unread = item.triage.readAt === null;
  return (
    <>
      <span className={cx('size-2 shrink-0 rounded-full', unread && 'bg-acc')} />
      <span data-part="check" className="-m-1 flex size-6 shrink-0 items-center justify-center">
        <Icon name={checked ? 'squareCheck' : sourceIcon(item.plugin)} className={checked ? 'text-acc' : 'text-t2'} />
      </span>
      {comfortable ? <TwoLines item={item} unread={unread} /> : <OneLine item={item} unread={unread} />}
      <Marks item={item} />
      <time dateTime={item.activityAt} title={exactTime(item.activityAt)} className="tnum min-w-11 shrink-0 @min-[560px]:min-w-14 text-right text-sec whitespace-nowrap text-t3">
        {shortTime(wakeTime(item) ?? item.activityAt, now)}
      </time>
    </>
  );
});

function OneLine({ item, unread }: { item: ItemSummary; unread: boolean }) {
  return (
    <>
      <span className="w-[17%] max-w-[168px] min-w-14 shrink-0 truncate text-t2">{item.repo ?? item.actor ?? ''}</span>
      <span title={item.title} className={cx('min-w-0 flex-1 truncate text-t1', unread && 'font-medium')}>
        {item.title}
      </span>
    </>
  );
}

function TwoLines({ item, unread }: { item: ItemSummary; unread: boolean }) {
  const below = [item.repo, item.actor && `by ${item.actor}`, item.preview].filter(Boolean).join(' · ');
  return (
    <span className="flex min-w-0 flex-1 flex-col">
      <span title={item.title} className={cx('truncate text-t1', unread && 'font-medium')}>
        {item.title}
      </span>
      <span className="truncate text-sec text-t2">{below}</span>
    </span>
  );
}

/** Star, clock and failure, then at most two chips. */
function Marks({ item }: { item: ItemSummary }) {
  const { triage, outbox } = item;
  const chips = chipsOf(item);
  return (
    <span className="flex shrink-0 items-center gap-1.5">
      {chips.map((chip, index) => (
        <span key={chip.text} className={index > 0 || outbox === 'failed' ? 'hidden @min-[560px]:contents' : 'contents'}>
          <Chip tone={chip.tone}>{chip.text}</Chip>
        </span>
      ))}
      {triage.starredAt !== null && <Icon name="star" filled className="text-warn" />}
      {triage.muted && <Icon name="mute" className="text-t3" />}
      {(outbox === 'waiting' || outbox === 'sending') && <Icon name="clock" className="text-t3" />}
      {outbox === 'failed' && (
        <span data-part="retry" className="flex h-6 items-center gap-1 text-sec text-err">
          <Icon name="alert" /> Retry
        </span>
      )}
      {outbox === 'needs_decision' && (
        <span className="flex h-6 items-center gap-1 text-sec text-warn">
          <Icon name="alert" /> Decide
        </span>
      )}
    </span>
  );
}

const TONES: Record<string, Tone> = { conflict: 'err', failed: 'err', passed: 'ok', merged: 'ok', behind: 'info', ahead: 'warn' };

export function chipsOf(item: ItemSummary): { text: string; tone: Tone }[] {
  const chips: { text: string; tone: Tone }[] = [];
  if (item.priority === 'urgent') chips.push({ text: 'urgent', tone: 'err' });
  else if (item.priority === 'high') chips.push({ text: 'high', tone: 'warn' });
  if (item.state !== null && item.state !== '') chips.push({ text: item.state.replaceAll('_', ' '), tone: TONES[item.state] ?? 'plain' });
  for (const label of [...item.triage.labels, ...item.labels]) chips.push({ text: label, tone: 'plain' });
  return chips.slice(0, 2);
}

/** Everything that the row shows by shape or colour, in words. */
export function inWords(item: ItemSummary, now: number): string {
  const { triage, outbox } = item;
  return [
    triage.readAt === null ? 'Unread' : null,
    item.title,
    item.repo,
    item.priority === 'urgent' || item.priority === 'high' ? `${item.priority} priority` : null,
    item.state,
    triage.starredAt !== null ? 'Starred' : null,
    triage.snoozedUntil !== null ? untilInWords(triage.snoozedUntil, now) : null,
    triage.muted ? 'Muted' : null,
    outbox === 'failed' ? 'An action failed' : outbox === 'needs_decision' ? 'An action needs your decision' : outbox ? 'An action is waiting to be sent' : null,
    agoInWords(item.activityAt, now),
  ]
    .filter(Boolean)
    .join('. ');
}

/** The time that a snooze ends at, where a time ends it. */
function wakeTime(item: ItemSummary): string | null {
  const until = item.triage.snoozedUntil;
  return until !== null && !Number.isNaN(Date.parse(until)) ? until : null;
}
