import { Link } from '@tanstack/react-router';
import type { KeyboardEvent } from 'react';

import { Icon, type IconName } from '../components/Icon';
import { Tip } from '../components/Tip';
import { useKeys } from '../keys/current';
import { keyLabel, type CommandId } from '../keys/keymap';
import { moveInBar } from './regions';

const PLACES: { to: '/inbox' | '/outbox' | '/history' | '/rules' | '/plugins' | '/settings'; name: string; icon: IconName; command: CommandId }[] = [
  { to: '/inbox', name: 'Inbox', icon: 'inbox', command: 'goInbox' },
  { to: '/outbox', name: 'Outbox', icon: 'outbox', command: 'goOutbox' },
  { to: '/history', name: 'History', icon: 'undo', command: 'goHistory' },
  { to: '/rules', name: 'Rules', icon: 'layers', command: 'goRules' },
  { to: '/plugins', name: 'Plugins', icon: 'plug', command: 'goPlugins' },
  { to: '/settings', name: 'Settings', icon: 'gear', command: 'goSettings' },
];

/** The places of the app, one tab stop. */
export function Rail() {
  // The tooltips name keys.
  useKeys();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (moveInBar(event.currentTarget, event.key)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <nav aria-label="Places" data-region="rail" data-own-arrows onKeyDown={onKeyDown} className="flex w-12 shrink-0 flex-col items-center gap-1 border-r border-line bg-bg0 pt-1.5">
      {PLACES.map((place) => (
        <Tip key={place.to} text={place.name} keys={keyLabel(place.command)} side="right">
          <Link
            to={place.to}
            aria-label={place.name}
            aria-keyshortcuts={keyLabel(place.command)}
            data-bar-item
            tabIndex={-1}
            activeProps={{ 'data-region-stop': '', tabIndex: 0 } as object}
            className="relative flex size-9 items-center justify-center rounded-card text-t2 hover:bg-bg2 hover:text-t1 aria-[current=page]:bg-sel aria-[current=page]:text-acc"
          >
            <Icon name={place.icon} className="size-[18px]" />
          </Link>
        </Tip>
      ))}
    </nav>
  );
}
