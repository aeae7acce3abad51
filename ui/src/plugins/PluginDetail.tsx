import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { useWrite } from '../api/mutations';
import { Button } from '../components/Button';
import { ErrorNote } from '../components/ErrorNote';
import { Checkbox, Field, Input } from '../components/Field';
import { Icon } from '../components/Icon';
import { Layer } from '../components/Layer';
import { Switch } from '../components/Switch';
import type { PluginInfo } from '../platform/wire';
import { Account } from './Account';
import { Logs } from './Logs';
import { StateChip } from './PluginsPage';

/** One plugin: whether it runs, its accounts, its log. */
export function PluginDetail({ plugin, back }: { plugin: PluginInfo; back: boolean }) {
  const toggle = useWrite('plugin_toggle', `${plugin.displayName} was not switched`);
  const on = plugin.state !== 'disabled';
  return (
    <div className="flex max-w-[760px] flex-col gap-6 px-6 py-4">
      <header className="flex flex-col gap-2">
        <div className="flex items-center gap-3">
          {back && (
            <Link to="/plugins" aria-label="Back to all plugins" className="flex size-7 items-center justify-center rounded-ctl text-t2 hover:bg-bg2">
              <Icon name="left" />
            </Link>
          )}
          <h2 className="text-page font-semibold">{plugin.displayName}</h2>
          <StateChip plugin={plugin} />
          <span className="ml-auto flex items-center gap-2">
            <span className="text-t2">{on ? 'Enabled' : 'Off'}</span>
            <Switch on={on} label={`Enable ${plugin.displayName}`} disabled={toggle.isPending} onChange={(enabled) => toggle.mutate({ name: plugin.name, enabled })} />
          </span>
        </div>
        <p className="text-read text-t2">{plugin.description}</p>
        <p className="selectable text-sec text-t3">
          <span className="font-mono">{plugin.name}</span> {plugin.version} by {plugin.author}, {plugin.source === 'bundled' ? 'ships with DevRig' : 'installed by you'}
        </p>
        {plugin.warning && (
          <p className="flex gap-2 rounded-card bg-warnBg px-3 py-2 text-warn">
            <Icon name="alert" className="mt-0.5" />
            {plugin.warning}
          </p>
        )}
        {plugin.error && (
          <ErrorNote title={plugin.state === 'quarantined' ? 'It failed too often and was stopped' : 'The plugin failed'} error={plugin.error} onRetry={() => toggle.mutate({ name: plugin.name, enabled: true })} />
        )}
      </header>
      {plugin.accounts.map((account) => (
        <Account key={account.id} plugin={plugin} account={account} only={plugin.accounts.length === 1} />
      ))}
      <AddAccount plugin={plugin} />
      <Logs plugin={plugin.name} />
      {plugin.source === 'installed' && <Uninstall plugin={plugin} />}
    </div>
  );
}

function AddAccount({ plugin }: { plugin: PluginInfo }) {
  const [name, setName] = useState<string | null>(null);
  const add = useWrite('account_add', 'The account was not added');
  if (name === null) {
    return (
      <div>
        <Button icon="plus" onClick={() => setName('')}>
          Add account
        </Button>
      </div>
    );
  }
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '') add.mutate({ plugin: plugin.name, name: name.trim() }, { onSuccess: () => setName(null) });
      }}
    >
      <Field id="account-name" label="Name of the account" help="Such as “Work” beside “Private”.">
        <Input id="account-name" value={name} onChange={(event) => setName(event.target.value)} className="w-64" />
      </Field>
      <Button type="submit" kind="primary" disabled={name.trim() === '' || add.isPending}>
        Add
      </Button>
      <Button onClick={() => setName(null)}>Cancel</Button>
    </form>
  );
}

function Uninstall({ plugin }: { plugin: PluginInfo }) {
  const [asking, setAsking] = useState(false);
  const [purgeItems, setPurge] = useState(false);
  const navigate = useNavigate();
  const uninstall = useWrite('plugin_uninstall', `${plugin.displayName} was not uninstalled`);
  return (
    <div className="border-t border-line pt-4">
      <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>
        Uninstall…
      </Button>
      {asking && (
        <Layer title={`Uninstall ${plugin.displayName}?`} description="Its accounts, grants and secrets are deleted. Its items stay in the inbox unless you say otherwise." onClose={() => setAsking(false)}>
          <Checkbox label="Delete its items too" checked={purgeItems} onChange={(event) => setPurge(event.target.checked)} />
          <div className="mt-3 flex gap-2">
            <Button kind="danger" disabled={uninstall.isPending} onClick={() => uninstall.mutate({ name: plugin.name, purgeItems }, { onSuccess: () => void navigate({ to: '/plugins' }) })}>
              Uninstall
            </Button>
            <Button onClick={() => setAsking(false)}>Cancel</Button>
          </div>
        </Layer>
      )}
    </div>
  );
}

