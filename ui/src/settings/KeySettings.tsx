import { useMemo, useState, type KeyboardEvent } from 'react';

import { useWrite } from '../api/mutations';
import { Button } from '../components/Button';
import { Icon } from '../components/Icon';
import { Kbd } from '../components/Kbd';
import { Layer } from '../components/Layer';
import { announce } from '../components/live';
import { useKeys } from '../keys/current';
import { KEYMAP, readable, type CommandId, type KeysOf } from '../keys/keymap';
import { changesOf, isChanged, isFixed, KEYS_SETTING, readKeyMap } from '../keys/remap';
import { GROUPS } from '../shell/KeyTable';
import { moveInBar } from '../shell/regions';
import { KeyEditor } from './KeyEditor';
import { Section } from './Section';

/** The keys, each of which can be given another one. `stored` is the setting as the engine has it. */
export function KeySettings({ stored }: { stored: unknown }) {
  const keys = useKeys();
  const problems = useMemo(() => readKeyMap(stored).problems, [stored]);
  const [editing, setEditing] = useState<CommandId | null>(null);
  const [resetting, setResetting] = useState(false);
  const write = useWrite('settings_set', 'The keys were not saved');
  const changed = KEYMAP.filter((command) => isChanged(keys, command.id)).length;

  const save = (next: KeysOf, words: string) => {
    setEditing(null);
    setResetting(false);
    write.mutate({ key: KEYS_SETTING, value: changesOf(next) }, { onSuccess: () => announce(words) });
  };
  return (
    <Section
      title="Keys"
      aside={
        <Button icon="undo" disabled={changed === 0} onClick={() => setResetting(true)}>
          Reset all
        </Button>
      }
    >
      <p className="text-t2">
        Choose a command to give it another key. {readable('Mod+k')}, Esc, F6 and Tab always keep their meaning.
      </p>
      {problems.length > 0 && <Problems problems={problems} onForget={() => save(keys, 'Forgotten')} />}
      <Commands keys={keys} onPick={setEditing} />
      {editing !== null && <KeyEditor id={editing} keys={keys} onSave={save} onClose={() => setEditing(null)} />}
      {resetting && (
        <Layer title="Reset all keys" onClose={() => setResetting(false)}>
          <p className="mb-4">{changed === 1 ? 'One command gets' : `${changed} commands get`} back the keys that DevRig came with.</p>
          <div className="flex justify-end gap-2">
            <Button onClick={() => setResetting(false)}>Cancel</Button>
            <Button kind="primary" onClick={() => save(readKeyMap(null).keys, 'All keys were reset')}>
              Reset all
            </Button>
          </div>
        </Layer>
      )}
    </Section>
  );
}

/** What is stored and cannot be used, with the keys that stand in its place in force. */
function Problems({ problems, onForget }: { problems: readonly string[]; onForget: () => void }) {
  return (
    <div role="status" className="flex gap-2 rounded-ctl border-l-2 border-warn bg-bg2 px-3 py-2">
      <Icon name="alert" className="mt-0.5 text-warn" />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-warn">Some of your keys could not be used; the usual ones stand in their place.</p>
        <ul className="selectable [overflow-wrap:anywhere]">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
        <Button className="mt-2" onClick={onForget}>
          Forget them
        </Button>
      </div>
    </div>
  );
}

/** One tab stop; arrows go from command to command. */
function Commands({ keys, onPick }: { keys: KeysOf; onPick: (id: CommandId) => void }) {
  const [stop, setStop] = useState<CommandId>('done');
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (moveInBar(event.currentTarget, event.key)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    // The buttons inside have the focus; this moves it between them.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div data-own-arrows onKeyDown={onKeyDown} className="-mx-2 columns-1 gap-6 sm:columns-2">
      {GROUPS.map((group) => (
        <section key={group} aria-label={group} className="mb-4 break-inside-avoid">
          <h3 className="mb-1 px-2 text-sec font-medium text-t2">{group}</h3>
          <ul>
            {KEYMAP.filter((command) => command.group === group).map((command) => (
              <li key={command.id}>
                {isFixed(command.id) ? (
                  <div className="flex h-7 items-center gap-1 px-2">
                    <span className="flex-1 truncate text-t2">{command.label}</span>
                    <span className="text-sec text-t3">always</span>
                    <Keys keys={keys[command.id]} />
                  </div>
                ) : (
                  <button
                    type="button"
                    data-bar-item
                    tabIndex={command.id === stop ? 0 : -1}
                    aria-label={`${command.label}: ${keys[command.id].map(readable).join(', ')}. Change`}
                    onFocus={() => setStop(command.id)}
                    onClick={() => onPick(command.id)}
                    className="ring-inset-focus flex h-7 w-full items-center gap-1 rounded-ctl px-2 text-left hover:bg-bg2"
                  >
                    <span className="flex-1 truncate">{command.label}</span>
                    {isChanged(keys, command.id) && <span className="text-sec text-acc">changed</span>}
                    <Keys keys={keys[command.id]} />
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Keys({ keys }: { keys: readonly string[] }) {
  return keys.map((key) => <Kbd key={key}>{readable(key)}</Kbd>);
}
