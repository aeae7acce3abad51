import { Popover } from 'radix-ui';
import { useState, type KeyboardEvent } from 'react';

import { Input } from '../components/Field';
import { Kbd } from '../components/Kbd';
import { exactTime, whenInWords } from '../lib/time';
import { focusNamed } from '../shell/regions';
import { rowId } from './Row';
import { parseWhen, presets } from './snooze';
import { useInbox } from './state';

/** When an item comes back: typed, or one of six times on the keys 1 to 6. */
export function SnoozePopover({ rowId: id, onSnooze }: { rowId: string | null; onSnooze: (until: number) => void }) {
  const open = useInbox((state) => state.snoozing);
  if (!open || id === null) return null;
  return <Open id={id} onSnooze={onSnooze} />;
}

function Open({ id, onSnooze }: { id: string; onSnooze: (until: number) => void }) {
  const [text, setText] = useState('');
  const [now] = useState(() => Date.now());
  const choices = presets(now);
  const typed = text.trim() === '' ? null : parseWhen(text, now);
  const close = () => useInbox.setState({ snoozing: false });
  const pick = (until: number) => {
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
  const anchor = { current: { getBoundingClientRect: () => (document.getElementById(rowId(id)) ?? document.body).getBoundingClientRect() } };
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
              if (typed !== null) pick(typed);
            }}
          >
            <Input aria-label="Snooze until" aria-describedby="snooze-echo" aria-invalid={text.trim() !== '' && typed === null} value={text} placeholder="2h, 3 days, 18:00, 2026-03-16" onChange={(event) => setText(event.target.value)} className="w-full" />
            <p id="snooze-echo" role="status" className="h-6 px-1 py-1 text-sec text-t2">
              {text.trim() === '' ? 'Press 1 to 6, or type a time' : typed === null ? 'Not a time in the future that is understood' : exactTime(typed)}
            </p>
          </form>
          <ul>
            {choices.map((choice) => (
              <li key={choice.key}>
                <button type="button" onClick={() => pick(choice.until)} className="ring-inset-focus flex h-7 w-full items-center gap-2 rounded-ctl px-1 text-left hover:bg-bg2">
                  <Kbd>{choice.key}</Kbd>
                  <span className="flex-1">{choice.name}</span>
                  <span className="tnum text-sec text-t2">{whenInWords(choice.until, now)}</span>
                </button>
              </li>
            ))}
          </ul>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
