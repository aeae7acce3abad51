import { lazy, Suspense, useEffect, useMemo, useState } from 'react';

import { useWrite } from '../api/mutations';
import { Button } from '../components/Button';
import { Layer } from '../components/Layer';
import { announce } from '../components/live';
import { toastDone, toastError } from '../components/toast';
import { keyHint } from '../keys/keymap';
import { toError } from '../platform/platform';
import type { ActionInfo, DevRigError, ItemSummary, OutboxRow, PluginInfo } from '../platform/wire';
import { actionsFor, asksFirst, useItemActions } from './itemActions';

const SchemaForm = lazy(() => import('../components/SchemaForm'));

/** The first ones are the ones that a plugin names first; the palette has all. */
const SHOWN = 5;

/** What the item's plugin can do with it. An action with something to ask opens a form first. */
export function PluginActions({ item, plugins }: { item: ItemSummary; plugins: readonly PluginInfo[] }) {
  const actions = useMemo(() => actionsFor(item, plugins), [item, plugins]);
  const [all, setAll] = useState(false);
  const [asking, setAsking] = useState<ActionInfo | null>(null);
  const { mutateAsync, isPending } = useWrite('inbox_action');
  const itemId = item.id;

  const send = useMemo(
    () => async (action: ActionInfo, input: unknown) => {
      const row = await mutateAsync({ itemId, action: action.id, input });
      setAsking(null);
      tell(action, row);
    },
    [mutateAsync, itemId],
  );
  const start = useMemo(
    () => (action: ActionInfo) => {
      if (asksFirst(action)) setAsking(action);
      else send(action, {}).catch((error: DevRigError) => toastError(`${action.name} did not work`, error));
    },
    [send],
  );
  useEffect(() => {
    useItemActions.setState({ actions: actions.map((action) => ({ id: action.id, name: action.name, run: () => start(action) })) });
    return () => useItemActions.setState({ actions: [] });
  }, [actions, start]);

  if (actions.length === 0) return null;
  return (
    <div className="mb-4 flex flex-wrap gap-2">
      {(all ? actions : actions.slice(0, SHOWN)).map((action) => (
        <Button key={action.id} title={action.description} disabled={isPending} onClick={() => start(action)}>
          {action.name}
          {asksFirst(action) && '…'}
        </Button>
      ))}
      {actions.length > SHOWN && (
        <Button kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Fewer' : `${actions.length - SHOWN} more`}
        </Button>
      )}
      {asking && (
        <Layer title={asking.name} description={asking.description} onClose={() => setAsking(null)}>
          <Suspense fallback={null}>
            <SchemaForm schema={asking.inputSchema} value={{}} submit={asking.name} onSubmit={(input) => send(asking, input)} onCancel={() => setAsking(null)} />
          </Suspense>
        </Layer>
      )}
    </div>
  );
}

function tell(action: ActionInfo, row: OutboxRow): void {
  if (row.state === 'failed' && row.error) {
    toastError(`${action.name} did not work`, toError({ code: 'PLUGIN_FAILED', category: 'plugin', message: row.error, retryable: true }));
    return;
  }
  const words = row.state === 'sent' ? `${action.name}: done` : `${action.name}: on its way`;
  toastDone(words, row.state === 'waiting');
  announce(row.state === 'waiting' ? `${words}.${keyHint('undo', 'undo')}` : words);
}
