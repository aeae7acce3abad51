import { useEffect, useState } from 'react';

import { IconButton } from '../components/Button';
import { Icon } from '../components/Icon';
import { Kbd } from '../components/Kbd';
import { isTyping } from '../keys/commands';
import { keyLabel, pressed, type CommandId } from '../keys/keymap';

const LESSON: { command: CommandId; key: string; words: string }[] = [
  { command: 'next', key: 'j', words: 'next' },
  { command: 'open', key: 'Enter', words: 'open' },
  { command: 'done', key: 'e', words: 'done' },
  { command: 'undo', key: 'z', words: 'undo' },
  { command: 'keys', key: '?', words: 'all keys' },
];

/** The third step of the first run: five keys on the person's own items, each ticked when it was used. */
export default function KeyLesson({ onDone }: { onDone: () => void }) {
  const [used, setUsed] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const key = pressed(event);
      if (key !== null && !isTyping(event.target)) setUsed((old) => (old.has(key) ? old : new Set([...old, key])));
    };
    window.addEventListener('keydown', onKeyDown, true);
    return () => window.removeEventListener('keydown', onKeyDown, true);
  }, []);
  const left = LESSON.filter((step) => !used.has(step.key)).length;
  return (
    <section aria-label="Learn five keys" className="flex shrink-0 flex-wrap items-center gap-x-2.5 gap-y-1 border-b border-line bg-bg2 px-3 py-1.5 text-sec">
      <p className="font-medium">{left === 0 ? 'That is all you need.' : 'Try these:'}</p>
      {LESSON.map((step) => (
        <span key={step.command} className="flex items-center gap-1 text-t2">
          {used.has(step.key) ? <Icon name="check" label="used" className="text-ok" /> : <Kbd>{keyLabel(step.command)}</Kbd>}
          {step.words}
        </span>
      ))}
      <IconButton icon="close" label="Finish the introduction" onClick={onDone} className="ml-auto" />
    </section>
  );
}
