import { useQuery } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';

import { useKeep, useUnlock } from '../api/mutations';
import { keychainQuery } from '../api/queries';
import { Button } from './Button';
import { Field, Input } from './Field';
import { Icon } from './Icon';

/** Shown while secrets cannot be opened: what to do, and the passphrase as the explicit other way. */
export function KeychainNote() {
  const { data: keychain } = useQuery(keychainQuery());
  const unlock = useUnlock();
  const [choosing, setChoosing] = useState(false);
  if (!keychain || keychain.state === 'ready') return null;
  const locked = keychain.state === 'locked';
  const byPassphrase = keychain.keptIn === 'passphrase';
  return (
    <div role="status" aria-label="Keychain" className="flex flex-col gap-2 rounded-card bg-warnBg px-3 py-2 text-warn">
      <div className="flex items-center gap-3">
        <Icon name="key" />
        <p className="flex-1">
          {keychain.message}. {keychain.hint} Plugins that need a secret wait until then.
        </p>
        {!byPassphrase && (
          <Button disabled={unlock.isPending} onClick={() => unlock.mutate(null)}>
            {locked ? 'Unlock' : 'Try again'}
          </Button>
        )}
        {keychain.state === 'absent' && !byPassphrase && !choosing && <Button onClick={() => setChoosing(true)}>Use a passphrase instead</Button>}
      </div>
      {byPassphrase && <Enter />}
      {choosing && <Choose onClose={() => setChoosing(false)} />}
    </div>
  );
}

function Enter() {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const unlock = useUnlock();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const value = input.current?.value ?? '';
        if (value === '') return;
        if (input.current) input.current.value = '';
        unlock.mutate(value, { onSettled: () => unlock.reset() });
      }}
    >
      <Field id={id} label="Passphrase">
        <div className="flex gap-2">
          <Input ref={input} id={id} type="password" autoComplete="off" className="w-72" />
          <Button type="submit" kind="primary" disabled={unlock.isPending}>
            Unlock
          </Button>
        </div>
      </Field>
    </form>
  );
}

/** Twice, since a typo would lock the secrets for good. */
function Choose({ onClose }: { onClose: () => void }) {
  const id = useId();
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  const [differ, setDiffer] = useState(false);
  const keep = useKeep();
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const passphrase = first.current?.value ?? '';
        const same = passphrase !== '' && passphrase === second.current?.value;
        setDiffer(!same);
        for (const input of [first, second]) if (input.current) input.current.value = '';
        if (same) keep.mutate(passphrase, { onSuccess: onClose, onSettled: () => keep.reset() });
      }}
    >
      <p className="text-sec">Secrets are then encrypted with a key that only this passphrase opens. It is asked for after each start, and nobody can restore it.</p>
      <Field id={id} label="New passphrase" help="12 characters or more." error={differ ? 'The two are not the same.' : undefined}>
        <Input ref={first} id={id} type="password" autoComplete="new-password" aria-describedby={`${id}-help`} className="w-72" />
      </Field>
      <Field id={`${id}-again`} label="Again">
        <Input ref={second} id={`${id}-again`} type="password" autoComplete="new-password" className="w-72" />
      </Field>
      <div className="flex gap-2">
        <Button type="submit" kind="primary" disabled={keep.isPending}>
          Use this passphrase
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
