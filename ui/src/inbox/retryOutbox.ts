import { call } from '../api/client';
import { toastDone, toastError } from '../components/toast';
import { toError } from '../platform/platform';

/** Sends an item's failed action once more: its dead job goes back to the queue. */
export async function retryFailed(itemId: string): Promise<void> {
  const rows = await call('outbox_list', {});
  const failed = rows.find((row) => row.itemId === itemId && row.state === 'failed');
  if (!failed) return;
  const { jobs } = await call('job_list', { status: 'dead', limit: 200 });
  const job = jobs.find((each) => each.kind === 'outbox.send' && Object.values<unknown>(each.payload ?? {}).includes(failed.id));
  if (!job) throw toError({ code: 'NOTHING_TO_DO', category: 'permanent', message: failed.error?.message ?? 'The action failed and cannot be sent again.', retryable: false });
  await call('job_retry', { id: job.id });
}

export function retryOutbox(itemId: string): void {
  retryFailed(itemId).then(
    () => toastDone('It is being sent again'),
    (thrown: unknown) => toastError('It was not sent again', toError(thrown)),
  );
}
