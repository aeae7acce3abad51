import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { useWrite } from '../api/mutations';
import { pluginsQuery, syncQuery } from '../api/queries';
import { Button } from '../components/Button';
import { Icon } from '../components/Icon';
import { agoInWords } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { View } from './views';

/** One line at the top of a source's own view when it cannot sync: what, since when, what to do. */
export function SourceNotice({ view }: { view: View }) {
  const now = useNow();
  const { data: syncs = [] } = useQuery(syncQuery());
  const { data: plugins = [] } = useQuery(pluginsQuery());
  const sync = useWrite('sync_now', 'Sync did not start');
  const accountId = view.id.startsWith('source:') ? view.id.slice('source:'.length) : null;
  if (accountId === null) return null;
  const plugin = plugins.find((each) => each.accounts.some((account) => account.id === accountId));
  const waiting = plugin?.accounts.find((account) => account.id === accountId)?.waiting;
  const failed = syncs.find((each) => each.account === accountId && each.state === 'error');
  if (!plugin || (!failed && !waiting)) return null;
  const since = failed?.lastSyncAt ? ` Showing items as of ${agoInWords(failed.lastSyncAt, now)}.` : '';
  return (
    <div role="status" className={`flex shrink-0 items-center gap-2 border-b border-line px-3 py-1 ${failed ? 'bg-errBg text-err' : 'bg-warnBg text-warn'}`}>
      <Icon name="alert" />
      <span className="min-w-0 flex-1">{failed ? `${failed.error?.message ?? 'The last sync failed'}.${since}` : waiting}</span>
      {failed && (
        <Button kind="quiet" onClick={() => sync.mutate({ account: accountId })}>
          Retry
        </Button>
      )}
      <Link to="/plugins/$name" params={{ name: plugin.name }} className="rounded-ctl px-1 underline underline-offset-2">
        Set up
      </Link>
    </div>
  );
}
