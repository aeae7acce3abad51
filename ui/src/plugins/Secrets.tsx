import { useId, useRef, useState } from 'react';

import { useWrite } from '../api/mutations';
import { Button } from '../components/Button';
import { Chip } from '../components/Chip';
import { Field, Input } from '../components/Field';
import { toastDone } from '../components/toast';
import type { AccountInfo, DevRigError, PluginInfo } from '../platform/wire';
import { Part } from './Account';

/** Secrets go in and never come out: a field shows whether one is stored, never which. */
export function Secrets({ plugin, account }: { plugin: PluginInfo; account: AccountInfo }) {
  const others = plugin.secrets.filter((name) => name !== account.connect?.secret);
  if (others.length === 0) return null;
  return (
    <Part title="Secrets">
      <div className="flex flex-col gap-3">
        {others.map((name) => (
          <Secret key={name} name={name} account={account} />
        ))}
      </div>
    </Part>
  );
}

function Secret({ name, account }: { name: string; account: AccountInfo }) {
  const id = useId();
  // Uncontrolled, and emptied on submit: the value is never part of the component's state.
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<DevRigError | null>(null);
  const set = useWrite('secret_set');
  const remove = useWrite('secret_delete', 'The secret was not deleted');
  const stored = account.secretsSet.includes(name);
  const save = () => {
    const value = input.current?.value ?? '';
    if (value === '') return;
    if (input.current) input.current.value = '';
    setError(null);
    set.mutate(
      { account: account.id, name, value },
      { onSuccess: () => toastDone(`Secret “${name}” stored`), onError: setError, onSettled: () => set.reset() },
    );
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Field id={id} label={name} error={error ? [error.message, error.hint].filter(Boolean).join(' ') : undefined}>
        <div className="flex items-center gap-2">
          <Input ref={input} id={id} type="password" autoComplete="off" placeholder={stored ? 'Stored. Type to replace it.' : ''} aria-describedby={error ? `${id}-error` : undefined} aria-invalid={error !== null} className="w-72" />
          <Button type="submit" disabled={set.isPending}>
            {stored ? 'Replace' : 'Store'}
          </Button>
          {stored && (
            <>
              <Chip tone="ok">stored</Chip>
              <Button kind="quiet" aria-label={`Delete secret ${name}`} onClick={() => remove.mutate({ account: account.id, name })}>
                Delete
              </Button>
            </>
          )}
        </div>
      </Field>
    </form>
  );
}
