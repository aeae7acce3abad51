import { useEffect, useState } from 'react';

import { IconButton } from '../components/Button';
import { Icon } from '../components/Icon';
import { CommandKey } from '../components/Kbd';
import { isTyping } from '../keys/commands';
import { useKeys } from '../keys/current';
import { keyLabel, makeMatcher, pressed, type CommandId } from '../keys/keymap';

const LESSON: { command: CommandId; words: string }[] = [
  { command: 'next', words: 'next' },
  { command: 'open', words: 'open' },
  { command: 'done', words: 'done' },
  { command: 'undo', words: 'undo' },
  { command: 'keys', words: 'all keys' },
];

/** The third step of the first run: five keys on the person's own items, each ticked when it was used. */
export default function KeyLesson({ onDone }: { onDone: () => void }) {
  const keys = useKeys();
  const [used, setUsed] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const match = makeMatcher(keys);
    const onKeyDown = (event: KeyboardEvent) => {
      const key = pressed(event);
      if (key === null || isTyping(event.target)) return;
      const command = match(key, event.timeStamp);
      if (command !== null && command !== 'pending') setUsed((old) => (old.has(command) ? old : new Set([...old, command])));
    };
    window.addEventListener('keydown', onKeyDown, true);
    return () => window.removeEventListener('keydown', onKeyDown, true);
  }, [keys]);
  const lesson = LESSON.filter((step) => keyLabel(step.command) !== undefined);
  const left = lesson.filter((step) => !used.has(step.command)).length;
  return (
    <section aria-label="Learn five keys" className="flex shrink-0 flex-wrap items-center gap-x-2.5 gap-y-1 border-b border-line bg-bg2 px-3 py-1.5 text-sec">
      <p className="font-medium">{left === 0 ? 'That is all you need.' : 'Try these:'}</p>
      {lesson.map((step) => (
        <span key={step.command} className="flex items-center gap-1 text-t2">
          {used.has(step.command) ? <Icon name="check" label="used" className="text-ok" /> : <CommandKey command={step.command} />}
          {step.words}
        </span>
      ))}
      <IconButton icon="close" label="Finish the introduction" onClick={onDone} className="ml-auto" />
    </section>
  );
}
