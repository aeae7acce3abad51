import { useState, type KeyboardEvent } from 'react';

import { Button } from '../components/Button';
import { Field, Input } from '../components/Field';
import { Kbd } from '../components/Kbd';
import { Layer } from '../components/Layer';
import { nameOf } from '../keys/defaults';
import { pressed, readable, type CommandId, type KeysOf } from '../keys/keymap';
import { clashWords, conflictsOf, isChanged, pressProblem, swapped, withKey, withReset } from '../keys/remap';

type Props = { id: CommandId; keys: KeysOf; onSave: (next: KeysOf, words: string) => void; onClose: () => void };

/** Hears the new key of one command, tells who has it already, and offers to swap. Nothing is timed. */
export function KeyEditor({ id, keys, onSave, onClose }: Props) {
  const [presses, setPresses] = useState<readonly string[]>([]);
  const [refused, setRefused] = useState<string | null>(null);
  const wanted = presses.join(' ');
  const name = nameOf(id);
  const conflicts = wanted === '' ? [] : conflictsOf(keys, id, wanted);
  const swap = conflicts.length > 0 ? swapped(keys, id, wanted) : null;
  const others = keys[id].slice(1);

  const words = `${name} is now ${readable(wanted)}`;
  const accept = () => {
    if (wanted === '') return;
    if (conflicts.length === 0) onSave(withKey(keys, id, wanted), words);
    else if (swap) onSave(swap, words);
  };
  const reset = () => {
    const back = withReset(keys, id);
    onSave(back.keys, [`${name} was reset`, ...back.also.map((each) => `${nameOf(each)} too`)].join(', '));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Tab goes on to the buttons and Esc closes, here as everywhere.
    if (event.key === 'Tab' || event.key === 'Escape' || event.repeat) return;
    event.preventDefault();
    if (event.key === 'Enter' && wanted !== '') {
      accept();
      return;
    }
    const press = pressed(event);
    if (press === null) {
      if (event.altKey) setRefused('Keys with Alt belong to the system.');
      return;
    }
    const problem = pressProblem(press);
    setRefused(problem);
    // Two keys are one after the other; a third begins anew.
    if (problem === null) setPresses((old) => (old.length === 1 ? [...old, press] : [press]));
  };
  const clash = conflicts.map((conflict) => `${readable(wanted)} ${clashWords(conflict)}.`).join(' ');
  const problem = refused ?? (clash === '' ? undefined : swap ? clash : `${clash} Choose another, or change ${conflicts.length > 1 ? 'those' : 'that'} first.`);
  return (
    <Layer title={`Key of “${name}”`} onClose={onClose}>
      <Field id="new-key" label="New key" help="Press a key, or two one after the other. Enter saves." error={problem}>
        <Input
          id="new-key"
          readOnly
          value={wanted === '' ? '' : readable(wanted)}
          placeholder="Press the new key"
          aria-describedby={problem ? 'new-key-help new-key-error' : 'new-key-help'}
          aria-invalid={problem !== undefined}
          onKeyDown={onKeyDown}
          className="font-mono"
        />
      </Field>
      <p className="mt-3 flex items-center gap-1 text-t2">
        It takes the place of <Kbd>{readable(keys[id][0]!)}</Kbd>
        {others.length > 0 && (
          <>
            beside
            {others.map((key) => (
              <Kbd key={key}>{readable(key)}</Kbd>
            ))}
          </>
        )}
      </p>
      <div className="mt-4 flex justify-end gap-2">
        {isChanged(keys, id) && (
          <Button icon="undo" onClick={reset} className="mr-auto">
            Reset
          </Button>
        )}
        <Button onClick={onClose}>Cancel</Button>
        {swap ? (
          <Button kind="primary" onClick={accept}>
            Swap with “{nameOf(conflicts[0]!.with)}”
          </Button>
        ) : (
          <Button kind="primary" disabled={wanted === '' || conflicts.length > 0} onClick={accept}>
            Save
          </Button>
        )}
      </div>
    </Layer>
  );
}
