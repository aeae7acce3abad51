import { Popover } from 'radix-ui';
import { useEffect, type RefObject } from 'react';

import { cx } from '../lib/cx';
import type { Choice } from './complete';

type Measurable = { getBoundingClientRect: () => DOMRect };
type Props = { id: string; below: RefObject<Measurable | null>; align?: 'start' | 'end' | undefined; choices: readonly Choice[]; at: number | null; onChoose: (choice: Choice) => void };

export const choiceId = (id: string, at: number) => `${id}-${at}`;

const stay = (event: Event) => event.preventDefault();

/** What the word under the caret can become. The field keeps the focus and the keys, Esc among them. */
export function Choices({ id, below, align = 'start', choices, at, onChoose }: Props) {
  useEffect(() => {
    if (at !== null) document.getElementById(choiceId(id, at))?.scrollIntoView({ block: 'nearest' });
  }, [id, at]);
  return (
    <Popover.Root open>
      <Popover.Anchor virtualRef={below as RefObject<Measurable>} />
      {/* In its place rather than in a portal: within a dialog it is a part of that. */}
      <Popover.Content
        id={id}
        role="listbox"
        aria-label="Suggestions"
        align={align}
        sideOffset={4}
        collisionPadding={8}
        onOpenAutoFocus={stay}
        onCloseAutoFocus={stay}
        onEscapeKeyDown={stay}
        onInteractOutside={stay}
        className="z-50 max-h-[min(18rem,var(--radix-popover-content-available-height))] w-[min(480px,var(--radix-popover-trigger-width))] overflow-y-auto rounded-layer border border-line bg-bg1 p-1 shadow-layer"
      >
        {choices.map((choice, index) => (
          // The field has the focus and the keys; this is the option it points at.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
          <div
            key={choice.label}
            id={choiceId(id, index)}
            role="option"
            aria-selected={index === at}
            // A press would take the focus from the field.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onChoose(choice)}
            className={cx('flex h-7 items-center gap-3 rounded-ctl px-2', index === at ? 'bg-sel' : 'hover:bg-bg2')}
          >
            <span className="min-w-0 shrink truncate font-mono">{choice.label}</span>
            {choice.help && <span className="min-w-0 flex-1 truncate text-right text-sec text-t2">{choice.help}</span>}
          </div>
        ))}
      </Popover.Content>
    </Popover.Root>
  );
}
