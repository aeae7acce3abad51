import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { useWrite } from '../api/mutations';
import { syncQuery } from '../api/queries';
import { Button } from '../components/Button';
import { Chip, type Tone } from '../components/Chip';
import { ErrorNote } from '../components/ErrorNote';
import { Field, Input, Select } from '../components/Field';
import { Switch } from '../components/Switch';
import { agoInWords, duration, whenInWords } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { DevRigError, SyncStatus } from '../platform/wire';
import { Part } from './Account';

const INTERVALS = [30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];
const TONES: Record<SyncStatus['state'], Tone> = { idle: 'ok', syncing: 'info', error: 'err', waiting: 'warn', disabled: 'plain' };
const WORDS: Record<SyncStatus['state'], string> = { idle: 'up to date', syncing: 'syncing', error: 'failed', waiting: 'waiting', disabled: 'off' };

/** Each data source of an account: how it is, when it ran, how often it runs. */
export function Syncs({ accountId }: { accountId: string }) {
  const { data: all = [] } = useQuery(syncQuery());
  const sync = useWrite('sync_now', 'Sync did not start');
  const own = all.filter((each) => each.account === accountId);
  if (own.length === 0) return null;
  return (
    <Part
      title="Sync"
      aside={
        <Button icon="retry" disabled={own.some((each) => each.state === 'syncing')} onClick={() => sync.mutate({ account: accountId })}>
          Sync now
        </Button>
      }
    >
      <ul className="flex flex-col">
        {own.map((status) => (
          <Source key={status.source} status={status} onRetry={() => sync.mutate({ account: accountId, source: status.source })} />
        ))}
      </ul>
    </Part>
  );
}

/** Hours in which the source is left alone, by the clock of a time zone. */
function QuietHours({ status }: { status: SyncStatus }) {
  const id = useId();
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<DevRigError | null>(null);
  const configure = useWrite('sync_configure');
  if (text === null) {
    return (
      <div className="flex items-center gap-2 text-sec text-t2">
        <span>{status.quietHours ? `Quiet ${status.quietHours}` : 'No quiet hours'}</span>
        <Button kind="quiet" aria-label={`Change quiet hours of ${status.name}`} onClick={() => setText(status.quietHours ?? '')}>
          Change
        </Button>
      </div>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setError(null);
        configure.mutate({ account: status.account, source: status.source, quietHours: text }, { onSuccess: () => setText(null), onError: setError });
      }}
    >
      <Field id={id} label="Quiet hours" help="Such as 22:00-07:00 Europe/Berlin. Empty for none." error={error ? [error.message, error.hint].filter(Boolean).join(' ') : undefined}>
        <div className="flex gap-2">
          <Input id={id} value={text} aria-describedby={`${id}-help`} aria-invalid={error !== null} onChange={(event) => setText(event.target.value)} className="w-72" />
          <Button type="submit" kind="primary" disabled={configure.isPending}>
            Save
          </Button>
          <Button onClick={() => setText(null)}>Cancel</Button>
        </div>
      </Field>
    </form>
  );
}

function Source({ status, onRetry }: { status: SyncStatus; onRetry: () => void }) {
  const now = useNow();
  const configure = useWrite('sync_configure', 'The sync was not changed');
  const { account, source, state, progress } = status;
  const facts = [
    status.lastSyncAt ? `last ${agoInWords(status.lastSyncAt, now)}` : 'never run',
    status.nextSyncAt && state !== 'disabled' ? `next ${whenInWords(status.nextSyncAt, now)}` : null,
    `${status.itemsSynced.toLocaleString('en')} items`,
    progress && `${progress.current}${progress.total === null ? '' : ` of ${progress.total}`}${progress.message ? `, ${progress.message}` : ''}`,
  ];
  const choices = INTERVALS.includes(status.intervalMs) ? INTERVALS : [...INTERVALS, status.intervalMs].sort((a, b) => a - b);
  return (
    <li className="flex flex-col gap-2 border-t border-line py-2">
      <div className="flex items-center gap-3">
        <span className="min-w-0 flex-1">
          <span className="flex items-center gap-2">
            {status.name} <Chip tone={TONES[state]}>{WORDS[state]}</Chip>
          </span>
          <span className="tnum block truncate text-sec text-t2">{facts.filter(Boolean).join(' · ')}</span>
        </span>
        <Select aria-label={`Interval of ${status.name}`} value={status.intervalMs} disabled={state === 'disabled'} onChange={(event) => configure.mutate({ account, source, intervalMs: Number(event.target.value) })}>
          {choices.map((ms) => (
            <option key={ms} value={ms}>
              every {duration(ms)}
            </option>
          ))}
        </Select>
        <Switch on={state !== 'disabled'} label={`Sync ${status.name}`} onChange={(enabled) => configure.mutate({ account, source, enabled })} />
      </div>
      <QuietHours status={status} />
      {status.error && (
        <ErrorNote title={`${status.name} could not be synced`} error={status.error} {...(status.lastSyncAt ? { stillTrue: `Items are as of ${agoInWords(status.lastSyncAt, now)}.` } : {})} onRetry={onRetry} />
      )}
    </li>
  );
}
