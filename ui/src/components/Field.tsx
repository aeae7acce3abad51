import type { ComponentProps, ReactNode } from 'react';

import { cx } from '../lib/cx';

/** A label, its control and what is to be said about it. The control takes `id` and `describedBy`. */
export function Field({ id, label, help, error, required, children }: { id: string; label: string; help?: string | undefined; error?: string | undefined; required?: boolean; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-ui font-medium text-t1">
        {label}
        {required && <span className="font-normal text-t2"> (required)</span>}
      </label>
      {help && (
        <p id={`${id}-help`} className="text-sec text-t2">
          {help}
        </p>
      )}
      {children}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-sec text-err">
          {error}
        </p>
      )}
    </div>
  );
}

const BOX = 'rounded-ctl border border-lineS bg-bg1 px-2 text-ui text-t1 selectable aria-invalid:border-err disabled:text-t3';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={cx(BOX, 'h-7 min-w-0', className)} autoComplete="off" spellCheck={false} {...rest} />;
}

export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea className={cx(BOX, 'min-h-20 py-1', className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<'select'>) {
  return <select className={cx(BOX, 'h-7 min-w-0', className)} {...rest} />;
}

export function Checkbox({ label, help, ...rest }: ComponentProps<'input'> & { label: string; help?: string | undefined }) {
  return (
    <label className="flex min-h-6 items-start gap-2 text-ui">
      <input type="checkbox" className="mt-0.5 size-4 shrink-0 accent-acc" {...rest} />
      <span>
        {label}
        {help && <span className="block text-sec text-t2">{help}</span>}
      </span>
    </label>
  );
}
