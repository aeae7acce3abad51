import { useQuery } from '@tanstack/react-query';

import { useWrite } from '../api/mutations';
import { outboxQuery } from '../api/queries';
import { Button } from '../components/Button';
import { Icon } from '../components/Icon';
import { discardName, isStuck, reasonOf, retryName } from '../outbox/words';
import type { ItemSummary, OutboxRow } from '../platform/wire';

/** What was asked of the item's source and is not through: it waits, failed, or needs a decision. */
export function ItemOutbox({ item }: { item: ItemSummary }) {
  const { data = [] } = useQuery({ ...outboxQuery(), enabled: item.outbox !== null });
  const rows = item.outbox === null ? [] : data.filter((row) => row.itemId === item.id);
  return rows.map((row) => (isStuck(row) ? <Stuck key={row.id} row={row} /> : <Waiting key={row.id} row={row} />));
}

function Waiting({ row }: { row: OutboxRow }) {
  const reason = reasonOf(row);
  const cancel = useWrite('outbox_cancel', 'It was not cancelled');
  return (
    <p className="mb-4 flex items-center gap-2 rounded-ctl border-l-2 border-acc bg-bg2 px-3 py-2">
      <Icon name="clock" className="text-t2" />
      <span className="flex-1">
        {row.label} {row.state === 'sending' ? 'is being sent' : 'is on its way'}
        {reason && <span className="selectable block text-sec text-t2">{reason}</span>}
      </span>
      {row.state === 'waiting' && (
        <Button disabled={cancel.isPending} onClick={() => cancel.mutate({ id: row.id })}>
          Cancel
        </Button>
      )}
    </p>
  );
}

function Stuck({ row }: { row: OutboxRow }) {
  const retry = useWrite('outbox_retry', 'It was not sent again');
  const discard = useWrite('outbox_discard', 'It was not discarded');
  const unknown = row.state === 'needs_decision';
  const busy = retry.isPending || discard.isPending;
  return (
    <div role="alert" className={`mb-4 flex gap-2 rounded-ctl border-l-2 bg-bg2 px-3 py-2 ${unknown ? 'border-warn' : 'border-err'}`}>
      <Icon name="alert" className={`mt-0.5 ${unknown ? 'text-warn' : 'text-err'}`} />
      <div className="min-w-0 flex-1">
        <p className={`font-medium ${unknown ? 'text-warn' : 'text-err'}`}>{unknown ? `It is not known whether “${row.label}” arrived` : `${row.label} failed`}</p>
        <p className="selectable text-t1">{reasonOf(row)}</p>
        <div className="mt-2 flex flex-wrap gap-2">
          <Button icon="retry" disabled={busy} onClick={() => retry.mutate({ id: row.id })}>
            {retryName(row)}
          </Button>
          <Button disabled={busy} onClick={() => discard.mutate({ id: row.id })}>
            {discardName(row)}
          </Button>
        </div>
      </div>
    </div>
  );
}
