import { cx } from '../lib/cx';

/** On or off, at once. */
export function Switch({ on, label, disabled, onChange }: { on: boolean; label: string; disabled?: boolean; onChange: (on: boolean) => void }) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      disabled={disabled}
      onClick={() => onChange(!on)}
      className="inline-flex size-7 w-9 shrink-0 items-center justify-center rounded-ctl"
    >
      <span className={cx('flex h-4 w-7 items-center rounded-full border px-0.5', on ? 'justify-end border-acc bg-acc' : 'justify-start border-lineS bg-bg2')}>
        <span className={cx('size-2.5 rounded-full', on ? 'bg-onAcc' : 'bg-lineS')} />
      </span>
    </button>
  );
}
