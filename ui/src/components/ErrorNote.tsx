import { useState } from 'react';

import type { DevRigError } from '../platform/wire';
import { Button } from './Button';
import { Icon } from './Icon';

type Props = { title: string; error: DevRigError; stillTrue?: string; onRetry?: () => void; className?: string };

/** A failure where its data would be: what failed, what is still true, what to do. */
export function ErrorNote({ title, error, stillTrue, onRetry, className = '' }: Props) {
  const [details, setDetails] = useState(false);
  const text = JSON.stringify({ code: error.code, category: error.category, details: error.details ?? null }, null, 2);
  return (
    <div role="alert" className={`flex gap-2 rounded-ctl border-l-2 border-err bg-bg2 px-3 py-2 text-ui ${className}`}>
      <Icon name="alert" className="mt-0.5 text-err" />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-err">{title}</p>
        <p className="selectable text-t1">{error.message}</p>
        {error.hint && <p className="selectable text-t1">{error.hint}</p>}
        {stillTrue && <p className="text-t1">{stillTrue}</p>}
        <div className="mt-2 flex flex-wrap gap-2">
          {onRetry && (
            <Button icon="retry" onClick={onRetry}>
              Retry
            </Button>
          )}
          <Button aria-expanded={details} onClick={() => setDetails(!details)}>
            Details
          </Button>
        </div>
        {details && (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
          <pre tabIndex={0} className="selectable mt-2 max-h-40 overflow-auto font-mono text-sec whitespace-pre-wrap text-t1">
            {text}
          </pre>
        )}
      </div>
    </div>
  );
}
