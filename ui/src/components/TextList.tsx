import { useState } from 'react';

import { platform } from '../api/client';
import { toError } from '../platform/platform';
import { Button, IconButton } from './Button';
import { Input } from './Field';
import { Icon } from './Icon';
import { toastError } from './toast';

type Props = { id: string; label: string; values: readonly string[]; folders?: boolean; invalid?: number | null; describedBy?: string | undefined; onChange: (values: string[]) => void };

/** A list of texts or folders: what is in it, a field to type one more, and the folder picker. */
export function TextList({ id, label, values, folders, invalid, describedBy, onChange }: Props) {
  const [draft, setDraft] = useState('');
  const add = (value: string) => {
    const text = value.trim();
    setDraft('');
    if (text !== '' && !values.includes(text)) onChange([...values, text]);
  };
  const browse = async () => {
    try {
      const folder = await platform().pickFolder(label);
      if (folder !== null) add(folder);
    } catch (thrown) {
      toastError('No folder could be chosen. Type its path instead.', toError(thrown));
    }
  };
  return (
    <div className="flex flex-col gap-1">
      {values.length > 0 && (
        <ul aria-label={label} className="flex flex-col gap-1">
          {values.map((value, index) => (
            <li key={value} className={`flex h-7 items-center gap-2 rounded-ctl bg-bg2 pl-2 ${invalid === index ? 'border border-err' : ''}`}>
              {folders && <Icon name="folder" className="text-t2" />}
              <span className="selectable min-w-0 flex-1 truncate font-mono text-sec" title={value}>
                {value}
              </span>
              <IconButton icon="close" label={`Remove ${value}`} onClick={() => onChange(values.filter((_, other) => other !== index))} />
            </li>
          ))}
        </ul>
      )}
      <div className="flex gap-2">
        <Input
          id={id}
          value={draft}
          aria-describedby={describedBy}
          aria-invalid={invalid !== undefined && invalid !== null}
          placeholder={folders ? '/path/to/folder' : ''}
          className={`flex-1 ${folders ? 'font-mono' : ''}`}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => add(draft)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || draft.trim() === '') return;
            event.preventDefault();
            add(draft);
          }}
        />
        <Button onClick={() => add(draft)}>Add</Button>
        {folders && (
          <Button icon="folder" onClick={() => void browse()}>
            Choose…
          </Button>
        )}
      </div>
    </div>
  );
}
