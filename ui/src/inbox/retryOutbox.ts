import { call } from '../api/client';
import { toastDone, toastError } from '../components/toast';
import { toError } from '../platform/platform';

/** Sends an item's failed action once more. */
export async function retryFailed(itemId: string): Promise<void> {
  const rows = await call('outbox_list', {});
  const failed = rows.find((row) => row.itemId === itemId && (row.state === 'failed' || row.state === 'needs_decision'));
  if (failed) await call('outbox_retry', { id: failed.id });
}

export function retryOutbox(itemId: string): void {
  retryFailed(itemId).then(
    () => toastDone('It is being sent again'),
    (thrown: unknown) => toastError('It was not sent again', toError(thrown)),
  );
}
