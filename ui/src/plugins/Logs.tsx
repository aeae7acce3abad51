import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { logsQuery } from '../api/queries';
import { Button } from '../components/Button';
import { ErrorNote } from '../components/ErrorNote';
import { Select } from '../components/Field';
import { exactTime } from '../lib/time';
import type { LogLine } from '../platform/wire';

const LEVELS: LogLine['level'][] = ['debug', 'info', 'warn', 'error'];
const COLOURS: Record<string, string> = { debug: 'text-t3', info: 'text-t2', warn: 'text-warn', error: 'text-err' };

/** The newest lines of a plugin's log; read only while it is open. */
export function Logs({ plugin }: { plugin: string }) {
  const [open, setOpen] = useState(false);
  const [least, setLeast] = useState<LogLine['level']>('debug');
  const { data: lines, error, refetch } = useQuery({ ...logsQuery(plugin), enabled: open });
  const shown = lines?.filter((line) => LEVELS.indexOf(line.level) >= LEVELS.indexOf(least)) ?? [];
  return (
    <section aria-label="Log">
      <div className="flex items-center gap-2">
        <Button kind="quiet" icon={open ? 'down' : 'right'} aria-expanded={open} onClick={() => setOpen(!open)} className="-ml-2.5">
          <span className="font-semibold text-t1">Log</span>
        </Button>
        {open && (
          <Select aria-label="Least level" value={least} onChange={(event) => setLeast(event.target.value as LogLine['level'])} className="ml-auto">
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {level} and above
              </option>
            ))}
          </Select>
        )}
      </div>
      {open && error && <ErrorNote className="mt-2" title="The log could not be read" error={error} onRetry={() => void refetch()} />}
      {open && lines && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        <div tabIndex={0} role="log" aria-label="Log lines" aria-live="off" className="selectable mt-2 max-h-80 overflow-auto rounded-card border border-line bg-bg0 p-2 font-mono text-sec">
          {shown.length === 0 && <p className="text-t2">Nothing was logged.</p>}
          {shown.map((line) => (
            <div key={line.seq} className="flex gap-3 [overflow-wrap:anywhere]">
              <time dateTime={line.at} title={exactTime(line.at)} className="tnum shrink-0 text-t3">
                {new Date(line.at).toLocaleTimeString('en-GB')}
              </time>
              <span className={`w-10 shrink-0 ${COLOURS[line.level] ?? ''}`}>{line.level}</span>
              <span>
                {line.message}
                {line.meta !== null && line.meta !== undefined && <span className="text-t3"> {JSON.stringify(line.meta)}</span>}
              </span>
            </div>
          ))}
        </div>
      )}
    </section>
  );
}
