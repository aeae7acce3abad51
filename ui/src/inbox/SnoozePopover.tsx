import { useQuery } from '@tanstack/react-query';
import { Popover } from 'radix-ui';
import { useState, type KeyboardEvent } from 'react';

import { call } from '../api/client';
import { Input } from '../components/Field';
import { Kbd } from '../components/Kbd';
import { exactTime, whenInWords } from '../lib/time';
import { useDebounced } from '../lib/useDebounced';
import { focusNamed } from '../shell/regions';
import { rowId } from './Row';
import { conditions, presets, untilWhat } from './snooze';
import { useInbox } from './state';

/** When an item comes back: typed as people write it, or one of the choices on number keys. */
export function SnoozePopover({ rowId: id, onSnooze }: { rowId: string | null; onSnooze: (until: string) => void }) {
  const open = useInbox((state) => state.snoozing);
  if (!open || id === null) return null;
  return <Open id={id} onSnooze={onSnooze} />;
}

/** At the item's row; where that is scrolled away, at the upper edge of the list. */
function placeOf(id: string): DOMRect {
  const row = document.getElementById(rowId(id));
  if (row) return row.getBoundingClientRect();
  const { x, y, width } = (document.querySelector('[data-region="list"]') ?? document.body).getBoundingClientRect();
  return new DOMRect(x, y, width, 40);
}

function Open({ id, onSnooze }: { id: string; onSnooze: (until: string) => void }) {
  const [text, setText] = useState('');
  const [now] = useState(() => Date.now());
  const times = presets(now).map((preset) => ({ ...preset, until: new Date(preset.until).toISOString(), hint: whenInWords(preset.until, now) }));
  const choices = [...times, ...conditions.map((each) => ({ ...each, hint: '' }))];
  const settled = useDebounced(text.trim(), 80);
  const { data, error } = useQuery({ queryKey: ['when', settled], queryFn: () => call('inbox_when', { text: settled }), enabled: settled !== '', retry: false, gcTime: 0 });
  const typed = settled === text.trim() && settled !== '' ? data?.until : undefined;
  const close = () => useInbox.setState({ snoozing: false });
  const pick = (until: string) => {
    close();
    onSnooze(until);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const preset = text === '' ? choices.find((choice) => choice.key === event.key) : undefined;
    if (preset) {
      event.preventDefault();
      pick(preset.until);
    }
  };
  const anchor = { current: { getBoundingClientRect: () => placeOf(id) } };
  return (
    <Popover.Root open onOpenChange={(next) => !next && close()}>
      <Popover.Anchor virtualRef={anchor} />
      <Popover.Portal>
        <Popover.Content
          role="dialog"
          aria-label="Snooze"
          align="end"
          sideOffset={4}
          collisionPadding={12}
          onKeyDown={onKeyDown}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            focusNamed('list');
          }}
          className="layer-in z-50 w-72 rounded-layer border border-line bg-bg1 p-2 shadow-layer"
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (typed) pick(typed);
              // Faster than the echo: what stands there is read now.
              else if (text.trim() !== '') call('inbox_when', { text }).then(({ until }) => pick(until), () => {});
            }}
          >
            <Input aria-label="Snooze until" aria-describedby="snooze-echo" aria-invalid={error !== null} value={text} placeholder="3h, next tue 9am, when merged" onChange={(event) => setText(event.target.value)} className="w-full" />
            <p id="snooze-echo" role="status" className="h-6 px-1 py-1 text-sec text-t2">
              {text.trim() === '' ? 'Press a number, or type a time' : error ? error.message : typed ? echo(typed, now) : ''}
            </p>
          </form>
          <ul>
            {choices.map((choice) => (
              <li key={choice.key}>
                <button type="button" onClick={() => pick(choice.until)} className="ring-inset-focus flex h-7 w-full items-center gap-2 rounded-ctl px-1 text-left hover:bg-bg2">
                  <Kbd>{choice.key}</Kbd>
                  <span className="flex-1">{choice.name}</span>
                  <span className="tnum text-sec text-t2">{choice.hint}</span>
                </button>
              </li>
            ))}
          </ul>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** What was understood: the exact time, or the condition. */
function echo(until: string, now: number): string {
  const words = untilWhat(until, now);
  return Number.isNaN(Date.parse(until)) ? `Until ${words}` : exactTime(until);
}
