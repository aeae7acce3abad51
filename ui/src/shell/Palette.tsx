import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import { useState } from 'react';

import { Kbd } from '../components/Kbd';
import { asSearch, found, recentIds, rememberPicked, type PaletteRow } from './paletteRows';
import { usePaletteRows, useSearchRow } from './usePaletteRows';

/** Finds and runs whatever can be done here, goes anywhere, and searches when a query is typed. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const rows = usePaletteRows();
  const search = useSearchRow();
  const [text, setText] = useState('');
  const [recent] = useState(recentIds);
  const query = asSearch(text);
  const sections = found(query === null ? rows : [search(query), ...rows], text, recent);
  const pick = (row: PaletteRow) => {
    if (row.section !== 'Search') rememberPicked(row.id);
    onClose();
    // After the layer has given the focus back.
    setTimeout(row.run, 0);
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40" />
        <Dialog.Content aria-describedby={undefined} className="fixed top-[15%] left-1/2 z-50 w-[min(640px,92vw)] -translate-x-1/2 overflow-hidden rounded-layer border border-line bg-bg1 shadow-layer">
          <Dialog.Title className="sr-only">Command palette</Dialog.Title>
          <Command label="Command palette" loop shouldFilter={false}>
            <Command.Input value={text} onValueChange={setText} placeholder="Type a command, or a search such as is:unread" className="h-10 w-full border-b border-line bg-bg1 px-3 text-read outline-none" />
            <Command.List className="max-h-[360px] overflow-auto p-1">
              <Command.Empty className="px-3 py-2 text-t2">Nothing has that name.</Command.Empty>
              {sections.map(({ section, rows }) => (
                <Command.Group
                  key={section}
                  heading={section}
                  className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:text-t3"
                >
                  {rows.map((row) => (
                    <Row key={row.id} row={row} onPick={pick} />
                  ))}
                </Command.Group>
              ))}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Row({ row, onPick }: { row: PaletteRow; onPick: (row: PaletteRow) => void }) {
  return (
    <Command.Item value={row.id} onSelect={() => onPick(row)} className="flex h-9 items-center gap-2 rounded-ctl px-2 data-[selected=true]:bg-sel">
      <span className="min-w-0 flex-1 truncate">{row.label}</span>
      {row.note && <span className="text-meta text-t3">{row.note}</span>}
      {row.keys && <Kbd>{row.keys}</Kbd>}
    </Command.Item>
  );
}
