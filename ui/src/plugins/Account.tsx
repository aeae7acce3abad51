import { lazy, Suspense, useState, type ReactNode } from 'react';

import { useWrite } from '../api/mutations';
import { Button, IconButton } from '../components/Button';
import { Checkbox, Input } from '../components/Field';
import { Icon } from '../components/Icon';
import { KeychainNote } from '../components/KeychainNote';
import { Layer } from '../components/Layer';
import { toastDone } from '../components/toast';
import { fieldsOf } from '../lib/schema';
import type { AccountInfo, PluginInfo } from '../platform/wire';
import { Connect } from './Connect';
import { Permissions } from './Permissions';
import { Secrets } from './Secrets';
import { Syncs } from './Syncs';

const SchemaForm = lazy(() => import('../components/SchemaForm'));
/** One use of a plugin: its settings, what it may do, its secrets, its syncs. */
export function Account({ plugin, account, only }: { plugin: PluginInfo; account: AccountInfo; only: boolean }) {
  const configure = useWrite('account_configure');
  const hasSettings = fieldsOf(plugin.settingsSchema).length > 0;
  return (
    <section aria-label={`Account ${account.name}`} className="flex flex-col gap-5 rounded-card border border-line px-4 py-3">
      <Name account={account} only={only} />
      {account.waiting && (
        <p className="flex gap-2 rounded-card bg-warnBg px-3 py-2 text-warn">
          <Icon name="clock" className="mt-0.5" />
          {account.waiting}
        </p>
      )}
      {plugin.secrets.length > 0 && <KeychainNote />}
      {account.connect && <Connect plugin={plugin} account={account} connect={account.connect} />}
      {/* Once it is set up, how it goes matters most. */}
      {!account.waiting && <Syncs accountId={account.id} />}
      {hasSettings && (
        <Part title="Settings">
          <Suspense fallback={null}>
            <SchemaForm
              schema={plugin.settingsSchema}
              value={account.settings ?? {}}
              submit="Save settings"
              onSubmit={async (settings) => {
                await configure.mutateAsync({ id: account.id, settings });
                toastDone('Settings saved');
              }}
            />
          </Suspense>
        </Part>
      )}
      <Permissions plugin={plugin} account={account} />
      {plugin.secrets.length > 0 && <Secrets plugin={plugin} account={account} />}
      {account.waiting && <Syncs accountId={account.id} />}
    </section>
  );
}

export function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <div>
      <div className="mb-2 flex min-h-7 items-center gap-2">
        <h4 className="font-semibold">{title}</h4>
        <span className="ml-auto flex gap-2">{aside}</span>
      </div>
      {children}
    </div>
  );
}

function Name({ account, only }: { account: AccountInfo; only: boolean }) {
  const [name, setName] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const rename = useWrite('account_rename', 'The account was not renamed');
  if (name !== null) {
    return (
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate({ id: account.id, name: name.trim() }, { onSuccess: () => setName(null) });
        }}
      >
        <Input aria-label="Name of the account" value={name} onChange={(event) => setName(event.target.value)} className="w-64" />
        <Button type="submit" kind="primary" disabled={name.trim() === '' || rename.isPending}>
          Rename
        </Button>
        <Button onClick={() => setName(null)}>Cancel</Button>
      </form>
    );
  }
  return (
    <div className="flex items-center gap-2">
      <h3 className="text-pane font-semibold">{account.name}</h3>
      <Button kind="quiet" className="ml-auto" onClick={() => setName(account.name)}>
        Rename
      </Button>
      {!only && <IconButton icon="trash" label={`Remove account ${account.name}`} onClick={() => setRemoving(true)} />}
      {removing && <Remove account={account} onClose={() => setRemoving(false)} />}
    </div>
  );
}

function Remove({ account, onClose }: { account: AccountInfo; onClose: () => void }) {
  const [purgeItems, setPurge] = useState(false);
  const remove = useWrite('account_remove', 'The account was not removed');
  return (
    <Layer title={`Remove ${account.name}?`} description="Its settings, grants and secrets are deleted. Its items stay in the inbox unless you say otherwise." onClose={onClose}>
      <Checkbox label="Delete its items too" checked={purgeItems} onChange={(event) => setPurge(event.target.checked)} />
      <div className="mt-3 flex gap-2">
        <Button kind="danger" disabled={remove.isPending} onClick={() => remove.mutate({ id: account.id, purgeItems }, { onSuccess: onClose })}>
          Remove
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Layer>
  );
}
