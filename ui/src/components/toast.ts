import { toast } from 'sonner';

import { keyLabel } from '../keys/keymap';
import { runCommand } from '../keys/commands';
import type { DevRigError } from '../platform/wire';

// One at a time: a second toast takes the place of the first.
const ONE = { id: 'one', duration: 8000 };

/** Says that something was done, and which key takes it back. */
export function toastDone(text: string, undoable = false): void {
  toast(text, {
    ...ONE,
    action: undoable ? { label: ['Undo', keyLabel('undo')].filter(Boolean).join(' '), onClick: () => void runCommand('undo') } : undefined,
  });
}

/** A refusal that is no fault ("nothing to undo") is a notice; anything else says what failed. */
export function toastError(title: string, error: DevRigError): void {
  if (error.code === 'NOTHING_TO_DO') {
    toast(error.message, { ...ONE, action: undefined });
    return;
  }
  toast.error(title, { ...ONE, description: [error.message, error.hint].filter(Boolean).join(' '), action: undefined });
}
