import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { useWrite } from '../api/mutations';
import { pluginsQuery } from '../api/queries';
import { Button } from '../components/Button';
import { ErrorNote } from '../components/ErrorNote';
import { Icon } from '../components/Icon';
import { LoadingRows } from '../components/Loading';
import { TextList } from '../components/TextList';
import { fieldAt, fieldsOf } from '../lib/schema';
import type { AccountInfo, ConnectInfo, DevRigError, PluginInfo } from '../platform/wire';
import { Connection } from '../plugins/Connect';
import type { Step } from './firstRun';

const GIT_PLUGIN = 'devrig-plugin-git-local';

type Props = { step: Exclude<Step, 'keys' | 'none'>; onStep: (step: Step) => void; onSkip: () => void };

/** What is connected with a secret of the person's, such as GitHub. */
type Service = { plugin: PluginInfo; account: AccountInfo; connect: ConnectInfo };

function servicesOf(plugins: PluginInfo[]): Service[] {
  return plugins.flatMap((plugin) => {
    const account = plugin.accounts[0];
    return account?.connect ? [{ plugin, account, connect: account.connect }] : [];
  });
}

/** The first two of three steps; the third is learned on the person's own items. */
export default function FirstRun({ step, onStep, onSkip }: Props) {
  const { data: plugins, error, refetch } = useQuery(pluginsQuery());
  const [chosen, setChosen] = useState<string | null>(null);
  const services = servicesOf(plugins ?? []);
  const service = services.find((each) => each.plugin.name === chosen);
  const plugin = plugins?.find((each) => each.name === GIT_PLUGIN);
  const account = plugin?.accounts[0];
  return (
    <section aria-label="Introduction" data-region="page" className="min-h-0 flex-1 overflow-y-auto bg-bg1 px-8 py-10">
      <div className="mx-auto flex max-w-[560px] flex-col gap-6">
        <header>
          <h1 className="text-page font-semibold">Welcome to DevRig</h1>
          <p className="mt-1 text-read text-t2">Everything that needs you, in one list, worked through with single keys. It stays on this machine: there is no server of ours.</p>
        </header>
        <Steps at={step} />
        {error && <ErrorNote title="The plugins could not be read" error={error} onRetry={() => void refetch()} />}
        {!plugins && !error && <LoadingRows />}
        {plugins && (!plugin || !account) && <p>The plugin for local git repositories is not installed. Other plugins can be set up on the Plugins page.</p>}
        {plugin && account && step === 'folders' && <Folders plugin={plugin} account={account} onNext={() => onStep('grant')} />}
        {plugins && step === 'folders' && services.length > 0 && (
          <Services
            services={services}
            onChoose={(name) => {
              setChosen(name);
              onStep('connect');
            }}
          />
        )}
        {service && step === 'connect' && <ConnectService service={service} onBack={() => onStep('folders')} onNext={() => onStep('keys')} />}
        {plugin && account && step === 'grant' && <Grant plugin={plugin} account={account} onBack={() => onStep('folders')} onNext={() => onStep('keys')} />}
        <footer className="border-t border-line pt-3">
          <Button kind="quiet" onClick={onSkip}>
            Skip the introduction
          </Button>
        </footer>
      </div>
    </section>
  );
}

function Steps({ at }: { at: Props['step'] }) {
  const steps: [string, string][] = [
    ['folders', 'Pick a source'],
    ['grant', 'Allow it'],
    ['keys', 'Learn five keys'],
  ];
  // A service is allowed what it asks for with its token.
  const current = at === 'folders' ? 0 : 1;
  return (
    <ol className="flex flex-wrap gap-x-6 gap-y-1">
      {steps.map(([id, name], index) => (
        <li key={id} aria-current={index === current ? 'step' : undefined} className={`flex items-center gap-2 ${index === current ? 'font-medium text-t1' : 'text-t2'}`}>
          <span className={`tnum inline-flex size-5 items-center justify-center rounded-full text-meta ${index === current ? 'bg-acc text-onAcc' : 'bg-bg2'}`}>
            {index < current ? <Icon name="check" className="size-3 text-ok" label="finished" /> : index + 1}
          </span>
          {name}
        </li>
      ))}
    </ol>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-3">
      <h2 className="text-pane font-semibold">{title}</h2>
      {children}
    </section>
  );
}

/** The setting that holds folders, by its form rather than its name. */
function foldersField(plugin: PluginInfo): string {
  return fieldsOf(plugin.settingsSchema).find((field) => field.kind === 'folders')?.name ?? 'folders';
}

function Folders({ plugin, account, onNext }: { plugin: PluginInfo; account: AccountInfo; onNext: () => void }) {
  const name = foldersField(plugin);
  const known: unknown = account.settings?.[name];
  const [folders, setFolders] = useState<string[]>(Array.isArray(known) ? known.map(String) : []);
  const [error, setError] = useState<DevRigError | null>(null);
  const configure = useWrite('account_configure');
  const wrong = error ? fieldAt(error.details?.field) : null;
  const save = () => {
    setError(null);
    configure.mutate({ id: account.id, settings: { ...account.settings, [name]: folders } }, { onSuccess: onNext, onError: setError });
  };
  return (
    <Section title="Pick folders with repositories">
      <p id="folders-help" className="text-t2">
        DevRig looks for git repositories in and under them: branches ahead or behind, old uncommitted work, stashes, unfinished merges.
      </p>
      <div>
        <label htmlFor="folder" className="mb-1 block font-medium">
          Folder
        </label>
        <TextList id="folder" label="Folders" values={folders} folders invalid={error ? (wrong?.index ?? -1) : null} describedBy="folders-help" onChange={setFolders} />
      </div>
      {error && (wrong ? <p role="alert" className="text-err">{[error.message, error.hint].filter(Boolean).join('. ')}</p> : <ErrorNote title="The folders were not accepted" error={error} />)}
      <div>
        <Button kind="primary" disabled={folders.length === 0 || configure.isPending} onClick={save}>
          Continue
        </Button>
      </div>
    </Section>
  );
}

function Services({ services, onChoose }: { services: Service[]; onChoose: (plugin: string) => void }) {
  return (
    <Section title="Or begin with a service">
      <p className="text-t2">With a token of yours, which is checked at once and kept encrypted. More can be added later, on the Plugins page.</p>
      <div className="flex flex-wrap gap-2">
        {services.map(({ plugin }) => (
          <Button key={plugin.name} icon="plug" onClick={() => onChoose(plugin.name)}>
            Connect {plugin.displayName}
          </Button>
        ))}
      </div>
    </Section>
  );
}

function ConnectService({ service, onBack, onNext }: { service: Service; onBack: () => void; onNext: () => void }) {
  const { plugin, account, connect } = service;
  const connected = account.connection !== null && account.connection.error === null;
  return (
    <Section title={`Connect ${plugin.displayName}`}>
      <p className="text-t2">{plugin.description.replace(/\.?$/, '.')}</p>
      <Connection plugin={plugin} account={account} connect={connect} />
      <div className="flex gap-2">
        <Button kind={connected ? 'primary' : 'default'} disabled={!connected} onClick={onNext}>
          Continue
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </Section>
  );
}

function Grant({ plugin, account, onBack, onNext }: { plugin: PluginInfo; account: AccountInfo; onBack: () => void; onNext: () => void }) {
  const [error, setError] = useState<DevRigError | null>(null);
  const [busy, setBusy] = useState(false);
  const grant = useWrite('account_grant');
  const toggle = useWrite('plugin_toggle');
  const sync = useWrite('sync_now');
  const allow = async () => {
    setBusy(true);
    setError(null);
    try {
      await grant.mutateAsync({ id: account.id, permissions: null });
      if (plugin.state !== 'active') await toggle.mutateAsync({ name: plugin.name, enabled: true });
      await sync.mutateAsync({ account: account.id });
      onNext();
    } catch (thrown) {
      setError(thrown as DevRigError);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title={`What ${plugin.displayName} may do`}>
      <p className="text-t2">Plugins can do nothing that you have not allowed. This one asks to:</p>
      <ul className="flex flex-col gap-2">
        {plugin.permissions.map((permission) => (
          <li key={permission.permission} className="flex gap-2">
            <Icon name={permission.wide ? 'alert' : 'shield'} className={`mt-0.5 ${permission.wide ? 'text-warn' : 'text-t2'}`} />
            <span>
              {permission.words}
              <span className="selectable block font-mono text-meta text-t3">{permission.permission}</span>
            </span>
          </li>
        ))}
      </ul>
      {error && <ErrorNote title="It could not be allowed" error={error} />}
      <div className="flex gap-2">
        <Button kind="primary" disabled={busy} onClick={() => void allow()}>
          Grant and look for items
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </Section>
  );
}
