import { DropdownMenu } from 'radix-ui';

import { Icon } from '../components/Icon';
import { focusNamed } from '../shell/regions';
import { GROUPINGS, type Grouping } from './grouping';
import { setGrouping, useGrouping } from './groupingChoice';

/** Says how the view is grouped, and changes it. */
export function GroupMenu({ view }: { view: string }) {
  const by = useGrouping(view);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="inline-flex h-7 shrink-0 items-center gap-1 rounded-ctl px-1.5 text-sec text-t2 hover:bg-bg2 hover:text-t1">
        Group: {by}
        <Icon name="down" />
      </DropdownMenu.Trigger>
      {/* Not in a portal: there it would lie outside of every landmark. */}
      <DropdownMenu.Content
        align="end"
        sideOffset={4}
        collisionPadding={8}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          focusNamed('list');
        }}
        className="layer-in z-50 min-w-36 rounded-layer border border-line bg-bg1 p-1 shadow-layer"
      >
        <DropdownMenu.RadioGroup value={by} onValueChange={(next) => setGrouping(view, next as Grouping)}>
          {GROUPINGS.map((each) => (
            <DropdownMenu.RadioItem key={each} value={each} className="flex h-7 items-center gap-2 rounded-ctl px-2 text-t1 data-highlighted:bg-bg2">
              <span className="size-4">{each === by && <Icon name="check" className="text-acc" />}</span>
              {each}
            </DropdownMenu.RadioItem>
          ))}
        </DropdownMenu.RadioGroup>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
