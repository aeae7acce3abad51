import type { ComponentProps } from 'react';

import { cx } from '../lib/cx';
import { keyLabel, type CommandId } from '../keys/keymap';
import { Icon, type IconName } from './Icon';
import { Tip } from './Tip';

type Kind = 'primary' | 'default' | 'quiet' | 'danger';

const KINDS: Record<Kind, string> = {
  primary: 'bg-acc text-onAcc font-medium enabled:hover:brightness-110',
  default: 'border border-lineS text-t1 enabled:hover:bg-bg2',
  quiet: 'text-t2 enabled:hover:bg-bg2 enabled:hover:text-t1',
  danger: 'border border-err text-err enabled:hover:bg-errBg',
};

type Props = ComponentProps<'button'> & { kind?: Kind; icon?: IconName };

export function Button({ kind = 'default', icon, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      className={cx(
        'inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-ctl px-2.5 text-ui whitespace-nowrap',
        'disabled:border-transparent disabled:bg-transparent disabled:text-t3',
        KINDS[kind],
        className,
      )}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ComponentProps<'button'>, 'children'> & { icon: IconName; label: string; command?: CommandId; filled?: boolean };

/** A button of one icon: its name and its key are in the tooltip. */
export function IconButton({ icon, label, command, filled, className, ...rest }: IconButtonProps) {
  return (
    <Tip text={label} keys={command && keyLabel(command)}>
      <button
        type="button"
        aria-label={label}
        aria-keyshortcuts={command && keyLabel(command)}
        className={cx(
          'inline-flex size-7 shrink-0 items-center justify-center rounded-ctl text-t2 enabled:hover:bg-bg2 enabled:hover:text-t1 disabled:text-t3',
          className,
        )}
        {...rest}
      >
        <Icon name={icon} filled={filled ?? false} />
      </button>
    </Tip>
  );
}
