import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';

import { IconButton } from './Button';

/** A floating layer that holds the focus and gives it back when it closes. */
export function Layer({ title, description, wide, onClose, children }: { title: string; description?: string; wide?: boolean; onClose: () => void; children: ReactNode }) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[rgb(10_14_20/28%)]" />
        <Dialog.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={(event) => {
            // The first field, else the layer itself: not its Close button, whose tooltip would open.
            event.preventDefault();
            const layer = event.currentTarget as HTMLElement;
            (layer.querySelector<HTMLElement>('input, textarea, select') ?? layer).focus();
          }}
          className={`layer-in fixed top-[12%] left-1/2 z-50 flex max-h-[76%] -translate-x-1/2 flex-col rounded-layer border border-line bg-bg1 shadow-layer ${wide ? 'w-[min(720px,92vw)]' : 'w-[min(480px,92vw)]'}`}
        >
          <div className="flex items-center gap-2 border-b border-line px-4 py-2">
            <Dialog.Title className="flex-1 text-pane font-semibold">{title}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton icon="close" label="Close" />
            </Dialog.Close>
          </div>
          <div className="overflow-auto px-4 py-3">
            {description && <Dialog.Description className="mb-3 text-t2">{description}</Dialog.Description>}
            {children}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
