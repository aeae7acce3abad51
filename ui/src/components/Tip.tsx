import { Tooltip } from 'radix-ui';
import type { ReactElement } from 'react';

import { Kbd } from './Kbd';

/** A tooltip with the key that does the same. */
export function Tip({ text, keys, side = 'bottom', children }: { text: string; keys?: string | undefined; side?: 'bottom' | 'right'; children: ReactElement }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="layer-in z-50 flex items-center gap-2 rounded-ctl border border-line bg-bg1 px-2 py-1 text-sec text-t1 shadow-layer"
        >
          {text}
          {keys && <Kbd>{keys}</Kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
