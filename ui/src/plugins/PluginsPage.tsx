import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState, type KeyboardEvent } from 'react';

import { platform } from '../api/client';
import { useWrite } from '../api/mutations';
import { pluginsQuery, syncQuery } from '../api/queries';
import { Boundary } from '../components/Boundary';
import { Button, IconButton } from '../components/Button';
import { Chip, type Tone } from '../components/Chip';
import { ErrorNote } from '../components/ErrorNote';
import { Icon } from '../components/Icon';
import { LoadingRows } from '../components/Loading';
import type { DevRigError, PluginInfo } from '../platform/wire';
import { columnsAt } from '../shell/layout';
import { moveInBar } from '../shell/regions';
import { useWindowWidth } from '../shell/useWindowWidth';
import { sourceIcon } from '../inbox/views';
import { PluginDetail } from './PluginDetail';

export default function PluginsPage() {
  const { name } = useParams({ strict: false });
  const { data: plugins, error, refetch } = useQuery(pluginsQuery());
  const oneColumn = columnsAt(useWindowWidth()) === 'one';
  const plugin = plugins?.find((each) => each.name === name) ?? (oneColumn || name ? undefined : plugins?.[0]);
  return (
    <>
      {!(oneColumn && plugin) && (
        <section aria-label="Plugins" data-region="list" className={`flex min-h-0 flex-col border-r border-line bg-bg0 ${oneColumn ? 'flex-1' : 'w-[320px] shrink-0'}`}>
          <header className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-3">
            <h1 className="font-semibold">Plugins</h1>
            {plugins && <span className="tnum text-sec text-t2">{plugins.length}</span>}
            <InstallButton />
          </header>
          {error && !plugins && <ErrorNote className="m-3" title="The plugins could not be read" error={error} onRetry={() => void refetch()} />}
          {!plugins && !error && <LoadingRows label="Loading plugins" />}
          {plugins && <PluginList plugins={plugins} current={plugin?.name} />}
        </section>
      )}
      {(plugin || !oneColumn) && (
        <section aria-label={plugin?.displayName ?? 'Plugin'} data-region="pane" className="min-h-0 min-w-0 flex-1 overflow-y-auto bg-bg1">
          {plugin ? (
            <Boundary name="The plugin" key={plugin.name}>
              <PluginDetail plugin={plugin} back={oneColumn} />
            </Boundary>
          ) : (
            plugins && <p className="p-6 text-t2">{name ? 'This plugin is not installed.' : 'No plugin is installed.'}</p>
          )}
        </section>
      )}
    </>
  );
}

function PluginList({ plugins, current }: { plugins: readonly PluginInfo[]; current: string | undefined }) {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (moveInBar(event.currentTarget, event.key)) event.preventDefault();
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- arrows move between its links
    <ul data-own-arrows onKeyDown={onKeyDown} className="min-h-0 flex-1 overflow-y-auto">
      {plugins.map((plugin, index) => (
        <li key={plugin.name}>
          <Link
            to="/plugins/$name"
            params={{ name: plugin.name }}
            data-bar-item
            tabIndex={plugin.name === current || (!current && index === 0) ? 0 : -1}
            aria-current={plugin.name === current ? 'page' : undefined}
            className="ring-inset-focus relative flex h-14 items-center gap-3 px-3 hover:bg-bg2 aria-[current=page]:bg-sel aria-[current=page]:before:absolute aria-[current=page]:before:inset-y-0 aria-[current=page]:before:left-0 aria-[current=page]:before:w-0.5 aria-[current=page]:before:bg-acc"
          >
            <Icon name={sourceIcon(plugin.name)} className="text-t2" />
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">{plugin.displayName}</span>
              <span className="block truncate text-sec text-t2">{plugin.description}</span>
            </span>
            <StateChip plugin={plugin} />
          </Link>
        </li>
      ))}
    </ul>
  );
}

const STATES: Record<PluginInfo['state'], { words: string; tone: Tone }> = {
  installed: { words: 'needs set-up', tone: 'warn' },
  active: { words: 'active', tone: 'ok' },
  disabled: { words: 'off', tone: 'plain' },
  error: { words: 'failed', tone: 'err' },
  quarantined: { words: 'stopped', tone: 'err' },
};

export function StateChip({ plugin }: { plugin: PluginInfo }) {
  const { data: syncs = [] } = useQuery(syncQuery());
  if (plugin.state === 'active' && syncs.some((sync) => sync.plugin === plugin.name && sync.state === 'error')) return <Chip tone="err">sync failed</Chip>;
  const waiting = plugin.state === 'active' && plugin.accounts.some((account) => account.waiting !== null);
  const { words, tone } = waiting ? { words: 'waiting', tone: 'warn' as const } : STATES[plugin.state];
  return <Chip tone={tone}>{words}</Chip>;
}

function InstallButton() {
  const [failure, setFailure] = useState<DevRigError | null>(null);
  const install = useWrite('plugin_install');
  const pick = async () => {
    const path = await platform().pickFolder('Folder of the plugin');
    if (path !== null) install.mutate({ path }, { onError: setFailure, onSuccess: () => setFailure(null) });
  };
  return (
    <>
      <Button icon="plus" kind="quiet" className="ml-auto" disabled={install.isPending} onClick={() => void pick()}>
        Install…
      </Button>
      {failure && (
        <div className="absolute top-12 left-16 z-20 w-80 rounded-layer border border-line bg-bg1 p-2 shadow-layer">
          <ErrorNote title="The plugin was not installed" error={failure} />
          <IconButton icon="close" label="Close" onClick={() => setFailure(null)} />
        </div>
      )}
    </>
  );
}
