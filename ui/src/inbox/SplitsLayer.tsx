import { useState } from 'react';

import { useWrite } from '../api/mutations';
import { Button } from '../components/Button';
import { Layer } from '../components/Layer';
import { toastDone } from '../components/toast';
import type { DevRigError, SplitInfo } from '../platform/wire';
import { QueryLines } from '../query/QueryLines';
import { queryAt, splitsFromText, splitsToText } from './splits';

/** All splits as the text that they are: to order, rename, add, copy. `query` begins a new one. */
export function SplitsLayer({ splits, query, onClose }: { splits: readonly SplitInfo[]; query: string; onClose: () => void }) {
  const [text, setText] = useState(() => splitsToText(splits) + (query.trim() === '' ? '' : `New split = ${query.trim()}\n`));
  const [error, setError] = useState<DevRigError | null>(null);
  const save = useWrite('split_set');
  const submit = () => {
    setError(null);
    save.mutate(
      { splits: splitsFromText(text) },
      {
        onSuccess: () => {
          toastDone('Splits saved');
          onClose();
        },
        onError: setError,
      },
    );
  };
  return (
    <Layer title="Splits" description="A line each: Name = query, in the order of the sidebar. Name [notify, badge] = query also notifies of what comes into it, and counts it on the tray icon." wide onClose={onClose}>
      <div className="flex flex-col gap-3">
        <QueryLines
          aria-label="Splits"
          aria-invalid={error !== null}
          rows={12}
          spellCheck={false}
          value={text}
          className="w-full font-mono"
          queryAt={queryAt}
          onChange={setText}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
          }}
        />
        {error && (
          <p role="alert" className="text-err">
            {[error.message, error.hint].filter(Boolean).join('. ')}
          </p>
        )}
        <div className="flex gap-2">
          <Button kind="primary" disabled={save.isPending} onClick={submit}>
            Save splits
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </div>
    </Layer>
  );
}
