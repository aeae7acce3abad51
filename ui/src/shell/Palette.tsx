import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';

import { Kbd } from '../components/Kbd';
import { useItemActions } from '../inbox/itemActions';
import { isOffered, runCommand } from '../keys/commands';
import { KEYMAP, keyLabel, type CommandId, type Group } from '../keys/keymap';

const HIDDEN: readonly CommandId[] = ['palette', 'actions', 'next', 'previous', 'first', 'last', 'pageDown', 'pageUp', 'back', 'nextRegion', 'previousRegion', 'extendDown', 'extendUp'];
const SECTIONS: readonly Group[] = ['This item', 'Select', 'Go to', 'Window', 'Move'];

/** Finds and runs any command that the screen offers, and what the plugin can do with the item in focus. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const actions = useItemActions((state) => state.actions);
  const navigate = useNavigate();
  const pick = (run: () => void) => {
    onClose();
    // After the layer has given the focus back.
    setTimeout(run, 0);
  };
  const commands = KEYMAP.filter((command) => !HIDDEN.includes(command.id) && isOffered(command.id));
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40" />
        <Dialog.Content aria-describedby={undefined} className="fixed top-[15%] left-1/2 z-50 w-[min(640px,92vw)] -translate-x-1/2 overflow-hidden rounded-layer border border-line bg-bg1 shadow-layer">
          <Dialog.Title className="sr-only">Command palette</Dialog.Title>
          <Command label="Command palette" loop>
            <Command.Input placeholder="Type a command" className="h-10 w-full border-b border-line bg-bg1 px-3 text-read outline-none" />
            <Command.List className="max-h-[360px] overflow-auto p-1">
              <Command.Empty className="px-3 py-2 text-t2">Nothing has that name.</Command.Empty>
              {SECTIONS.map((group) => (
                <Section key={group} name={group}>
                  {commands
                    .filter((command) => command.group === group)
                    .map((command) => (
                      <Row key={command.id} value={`${group} ${command.label}`} onSelect={() => pick(() => void runCommand(command.id))} keys={keyLabel(command.id)}>
                        {command.label}
                      </Row>
                    ))}
                  {group === 'This item' &&
                    actions.map((action) => (
                      <Row key={action.id} value={`${group} ${action.name}`} onSelect={() => pick(action.run)}>
                        {action.name}
                      </Row>
                    ))}
                </Section>
              ))}
              <Section name="Views">
                {['Inbox', 'Unread', 'Starred', 'Snoozed', 'Done', 'All'].map((view) => (
                  <Row key={view} value={`View ${view}`} onSelect={() => pick(() => void navigate({ to: '/inbox', search: { view: view.toLowerCase() } }))}>
                    {view}
                  </Row>
                ))}
              </Section>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Section({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Command.Group heading={name} className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:text-t3">
      {children}
    </Command.Group>
  );
}

function Row({ value, keys, onSelect, children }: { value: string; keys?: string; onSelect: () => void; children: ReactNode }) {
  return (
    <Command.Item value={value} onSelect={onSelect} className="flex h-9 items-center justify-between rounded-ctl px-2 data-[selected=true]:bg-sel">
      {children}
      {keys && <Kbd>{keys}</Kbd>}
    </Command.Item>
  );
}
