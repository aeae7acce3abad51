import { useId, useRef, useState } from 'react';

import { useWrite } from '../api/mutations';
import { platform } from '../api/client';
import { Button } from '../components/Button';
import { Field, Input } from '../components/Field';
import { Icon } from '../components/Icon';
import { toastError } from '../components/toast';
import { toError } from '../platform/platform';
import type { AccountInfo, ConnectInfo, ConnectionState, DevRigError, PluginInfo } from '../platform/wire';
import { Part } from './Account';

type Props = { plugin: PluginInfo; account: AccountInfo; connect: ConnectInfo };

/** The connection of an account on its page. */
export function Connect({ plugin, account, connect }: Props) {
  const [replacing, setReplacing] = useState(false);
  const check = useWrite('account_check', 'The connection was not checked');
  const stored = account.secretsSet.includes(connect.secret);
  return (
    <Part
      title="Connection"
      aside={
        stored && (
          <>
            <Button kind="quiet" disabled={check.isPending} onClick={() => check.mutate({ id: account.id })}>
              Check again
            </Button>
            {!replacing && account.connection?.error === null && (
              <Button kind="quiet" onClick={() => setReplacing(true)}>
                Replace
              </Button>
            )}
          </>
        )
      }
    >
      <Connection plugin={plugin} account={account} connect={connect} replacing={replacing} onDone={() => setReplacing(false)} />
    </Part>
  );
}

/** Whose secret the account uses, or the form that asks for one and checks it at once. */
export function Connection({ plugin, account, connect, replacing = false, onDone }: Props & { replacing?: boolean; onDone?: () => void }) {
  const state = account.connection;
  const stored = account.secretsSet.includes(connect.secret);
  const asks = replacing || !stored || (state?.error ?? null) !== null;
  return (
    <div className="flex flex-col gap-3">
      {stored && state && <Known state={state} />}
      {asks && <TokenForm plugin={plugin} account={account} connect={connect} onDone={() => onDone?.()} />}
    </div>
  );
}

function Known({ state }: { state: ConnectionState }) {
  if (state.error) {
    return (
      <p role="alert" className="flex gap-2 rounded-card bg-errBg px-3 py-2 text-err">
        <Icon name="alert" className="mt-0.5" />
        <span>{[state.error.message, state.error.hint].filter(Boolean).join('. ')}</span>
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-2">
      <p role="status" className="flex gap-2 text-ok">
        <Icon name="check" className="mt-0.5" />
        <span>
          Connected as <strong>{state.identity}</strong>
          {state.detail && <span className="text-t2"> · {state.detail}</span>}
        </span>
      </p>
      {state.warnings.map((warning) => (
        <p key={warning} className="flex gap-2 rounded-card bg-warnBg px-3 py-2 text-warn">
          <Icon name="alert" className="mt-0.5" />
          {warning}
        </p>
      ))}
    </div>
  );
}

function TokenForm({ plugin, account, connect, onDone }: Props & { onDone: () => void }) {
  const id = useId();
  // Uncontrolled, and emptied on submit: the value is never part of the component's state.
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<DevRigError | null>(null);
  const grant = useWrite('account_grant');
  const set = useWrite('secret_set');
  const check = useWrite('account_check');
  const busy = grant.isPending || set.isPending || check.isPending;
  const missing = plugin.permissions.filter((each) => !account.granted.includes(each.permission));
  const submit = async () => {
    const value = (input.current?.value ?? '').trim();
    if (value === '') return;
    if (input.current) input.current.value = '';
    setError(null);
    try {
      await set.mutateAsync({ account: account.id, name: connect.secret, value });
      set.reset();
      if (missing.length > 0) await grant.mutateAsync({ id: account.id, permissions: null });
      const checked = await check.mutateAsync({ id: account.id });
      if (!checked.connection?.error) onDone();
    } catch (failure) {
      setError(failure as DevRigError);
    }
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field id={id} label={connect.title} help={connect.description} error={error ? [error.message, error.hint].filter(Boolean).join(' ') : undefined}>
        <div className="flex items-center gap-2">
          <Input ref={input} id={id} type="password" autoComplete="off" aria-describedby={error ? `${id}-help ${id}-error` : `${id}-help`} aria-invalid={error !== null} className="w-72" />
          <Button type="submit" kind="primary" disabled={busy}>
            {missing.length > 0 ? 'Allow and connect' : 'Connect'}
          </Button>
          {connect.url && <OpenPage url={connect.url} />}
        </div>
      </Field>
      {connect.scopes.length > 0 && (
        <div>
          <p className="text-sec text-t2">It needs these rights:</p>
          <ul className="mt-1 flex flex-col gap-1">
            {connect.scopes.map(({ name, why }) => (
              <li key={name} className="text-sec">
                <code className="selectable font-mono text-meta">{name}</code> <span className="text-t2">{why}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {missing.length > 0 && (
        <div>
          <p className="text-sec text-t2">Connecting allows {plugin.displayName}:</p>
          <ul className="mt-1 list-disc pl-5">
            {missing.map(({ permission, words }) => (
              <li key={permission} className="text-sec">
                {words}
              </li>
            ))}
          </ul>
        </div>
      )}
    </form>
  );
}

function OpenPage({ url }: { url: string }) {
  return (
    <Button icon="external" onClick={() => void platform().openUrl(url).catch((thrown: unknown) => toastError('The page was not opened', toError(thrown)))}>
      Get one
    </Button>
  );
}
