import { Kbd } from '../components/Kbd';
import { useKeys } from '../keys/current';
import { KEYMAP, readable, type Group } from '../keys/keymap';

export const GROUPS: readonly Group[] = ['This item', 'Move', 'Select', 'Outbox', 'Go to', 'Window'];

/** Every key as it is now, from the same list that handles them. */
export function KeyTable() {
  const keys = useKeys();
  return (
    <div className="columns-1 gap-8 sm:columns-2">
      {GROUPS.map((group) => (
        <section key={group} className="mb-4 break-inside-avoid">
          <h3 className="mb-1 text-sec font-medium text-t2">{group}</h3>
          <dl>
            {KEYMAP.filter((command) => command.group === group).map((command) => (
              <div key={command.id} className="flex h-6 items-center justify-between gap-4">
                <dt>{command.label}</dt>
                <dd className="flex gap-1">
                  {keys[command.id].map((key) => (
                    <Kbd key={key}>{readable(key)}</Kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
