import { useQuery } from '@tanstack/react-query';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { Tooltip } from 'radix-ui';
import { lazy, Suspense, useEffect, useLayoutEffect, useState } from 'react';
import { Toaster } from 'sonner';

import { useWrite } from '../api/mutations';
import { settingsQuery } from '../api/queries';
import { Boundary } from '../components/Boundary';
import { LiveRegion } from '../components/live';
import { listenToKeys, useCommands } from '../keys/commands';
import { setKeys, setSingleKeys } from '../keys/current';
import { KEYS_SETTING, readKeyMap } from '../keys/remap';
import { appearanceFrom, showAppearance, zoomed } from '../settings/appearance';
import { Rail } from './Rail';
import { cycleRegion } from './regions';
import { StatusBar } from './StatusBar';

const KeySheet = lazy(() => import('./KeySheet'));
const Palette = lazy(() => import('./Palette'));

type Layer = 'keys' | 'palette' | null;

/** Rail, page and status bar, and what every page shares: keys, layers, toasts, the live region. */
export function Shell() {
  const navigate = useNavigate();
  const [layer, setLayer] = useState<Layer>(null);
  const close = () => setLayer(null);
  useSettings();
  const setZoom = useZoom();
  useCommands({
    goInbox: () => void navigate({ to: '/inbox' }),
    goOutbox: () => void navigate({ to: '/outbox' }),
    goHistory: () => void navigate({ to: '/history' }),
    goRules: () => void navigate({ to: '/rules', search: {} }),
    goPlugins: () => void navigate({ to: '/plugins' }),
    goSettings: () => void navigate({ to: '/settings' }),
    keys: () => setLayer('keys'),
    palette: () => setLayer('palette'),
    zoomIn: () => setZoom((zoom) => zoomed(zoom, 1)),
    zoomOut: () => setZoom((zoom) => zoomed(zoom, -1)),
    zoomReset: () => setZoom(() => 100),
    nextRegion: () => cycleRegion(1),
    previousRegion: () => cycleRegion(-1),
  });
  return (
    <Tooltip.Provider delayDuration={500} skipDelayDuration={200}>
      <div className="flex h-full flex-col">
        <div className="flex min-h-0 flex-1">
          <Rail />
          <main className="flex min-h-0 min-w-0 flex-1">
            <Boundary name="This page">
              <Suspense fallback={null}>
                <Outlet />
              </Suspense>
            </Boundary>
          </main>
        </div>
        <StatusBar />
      </div>
      <LiveRegion />
      <Toaster
        position="bottom-left"
        visibleToasts={1}
        offset={{ bottom: '32px', left: '12px' }}
        containerAriaLabel="Messages"
        toastOptions={{
          unstyled: true,
          classNames: {
            toast: 'flex w-[356px] items-center gap-3 rounded-layer border border-line bg-bg1 px-3 py-2 text-ui text-t1 shadow-layer',
            content: 'min-w-0 flex-1',
            title: 'font-medium',
            description: 'text-sec text-t2',
            error: 'border-err',
            icon: 'hidden',
            actionButton: 'h-7 shrink-0 rounded-ctl border border-lineS px-2 text-ui hover:bg-bg2',
          },
        }}
      />
      <Suspense fallback={null}>
        {layer === 'keys' && <KeySheet onClose={close} />}
        {layer === 'palette' && <Palette onClose={close} />}
      </Suspense>
    </Tooltip.Provider>
  );
}

/** Seen at once, and kept as the setting. */
function useZoom(): (change: (zoom: number) => number) => void {
  const { data: settings } = useQuery(settingsQuery());
  const write = useWrite('settings_set', 'The zoom was not saved');
  return (change) => {
    if (!settings) return;
    const appearance = appearanceFrom(settings);
    const zoom = change(appearance.zoom);
    if (zoom === appearance.zoom) return;
    showAppearance({ ...appearance, zoom });
    write.mutate({ key: 'appearance.zoom', value: zoom });
  };
}

/** Follows the engine's settings: appearance, the keys, and whether letters act as keys. */
function useSettings(): void {
  const { data } = useQuery(settingsQuery());
  useEffect(() => {
    if (!data) return;
    setSingleKeys(data['keys.single'] !== false);
    showAppearance(appearanceFrom(data));
  }, [data]);
  const stored: unknown = data?.[KEYS_SETTING];
  // Before the paint, so that nobody sees the keys of the start change.
  useLayoutEffect(() => setKeys(readKeyMap(stored).keys), [stored]);
  useEffect(() => listenToKeys(), []);
}
