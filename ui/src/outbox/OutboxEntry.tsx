import { Button } from '../components/Button';
import { Icon } from '../components/Icon';
import { CommandKey } from '../components/Kbd';
import { keyLabel, type CommandId } from '../keys/keymap';
import { cx } from '../lib/cx';
import { discardName, isStuck, reasonOf, retryName, type Entry, type Standing } from './words';

type Act = (() => void) | undefined;
type Props = { entry: Entry; standing: Standing; focused: boolean; busy: boolean; onFocus: () => void; onOpen: Act; onCancel: Act; onRetry: Act; onDiscard: Act };

/** One action: how it stands, what it is, on which item, and what can be done with it. */
export function OutboxEntry({ entry, standing, focused, busy, onFocus, onOpen, onCancel, onRetry, onDiscard }: Props) {
  const { row, account } = entry;
  const reason = reasonOf(row);
  const act = (command: CommandId, name: string, onClick: Act) =>
    onClick && (
      <Button kind="quiet" tabIndex={focused ? 0 : -1} disabled={busy} aria-label={`${name}: ${row.label}`} aria-keyshortcuts={keyLabel(command)} onClick={onClick}>
        {name} <CommandKey command={command} />
      </Button>
    );
  return (
    <div
      role="row"
      data-outbox={row.id}
      tabIndex={focused ? 0 : -1}
      {...(focused ? { 'data-region-stop': '' } : {})}
      aria-label={[row.label, row.title, standing.words, reason].filter(Boolean).join('. ')}
      onFocus={onFocus}
      className={cx(
        'ring-inset-focus relative flex min-h-9 flex-wrap scroll-mt-7 items-start gap-x-3 px-6 py-1',
        focused ? 'bg-sel before:absolute before:inset-y-0 before:left-0 before:w-0.5 before:bg-acc' : 'hover:bg-bg2',
      )}
    >
      <span role="gridcell" className={cx('flex h-7 w-44 shrink-0 items-center gap-2 text-sec', standing.tone)}>
        <Icon name={standing.icon} />
        <span className="tnum truncate">{standing.words}</span>
      </span>
      <span role="gridcell" title={row.label} className="w-[18%] max-w-44 shrink-0 truncate py-1 font-medium">
        {row.label}
      </span>
      <span role="gridcell" className="min-w-0 flex-1 basis-48 py-1">
        <span className="flex items-baseline gap-2">
          {onOpen ? (
            <button type="button" tabIndex={-1} title={row.title} onClick={onOpen} className="min-w-0 truncate text-left hover:underline">
              {row.title}
            </button>
          ) : (
            <span className="min-w-0 truncate">{row.title}</span>
          )}
          {isStuck(row) && <span className="shrink-0 text-sec text-t2">{account}</span>}
        </span>
        {reason && <span className="selectable block text-sec [overflow-wrap:anywhere] text-t2">{reason}</span>}
      </span>
      <span role="gridcell" className="ml-auto flex shrink-0 gap-1">
        {act('cancelSending', 'Cancel', onCancel)}
        {act('sendAgain', retryName(row), onRetry)}
        {act('discard', discardName(row), onDiscard)}
      </span>
    </div>
  );
}
