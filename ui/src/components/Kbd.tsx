import type { ReactNode } from 'react';

import { useKeys } from '../keys/current';
import { keyLabel, type CommandId } from '../keys/keymap';

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex min-w-4 items-center justify-center rounded-ctl bg-bg2 px-1 font-mono text-meta whitespace-nowrap text-t2">{children}</kbd>
  );
}

/** The person's own key of a command; nothing where it has none. */
export function CommandKey({ command }: { command: CommandId }) {
  useKeys();
  const label = keyLabel(command);
  return label === undefined ? null : <Kbd>{label}</Kbd>;
}
