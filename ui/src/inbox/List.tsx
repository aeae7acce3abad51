import { ErrorNote } from '../components/ErrorNote';
import { LoadingRows } from '../components/Loading';
import { exactTime } from '../lib/time';
import type { InboxStats, PluginInfo } from '../platform/wire';
import { EmptyByFilter, EmptyView } from './Empty';
import { Rows } from './Rows';
import { SourceNotice } from './SourceNotice';
import type { InboxList } from './useInboxList';
import type { View } from './views';

type Props = {
  list: InboxList;
  view: View;
  filter: string;
  stats: InboxStats | undefined;
  plugins: readonly PluginInfo[];
  onFilter: (filter: string) => void;
  onOpen: (id: string) => void;
  onView: (id: string) => void;
};

/** The list in each of its states: loading, failed, empty, or rows. */
export function List(props: Props) {
  const { list, view, filter, stats, onFilter, onView } = props;
  if (list.rows.length > 0) {
    return (
      <>
        <SourceNotice view={view} />
        {list.error && <ErrorNote className="m-2" title="The list could not be read again" error={list.error} stillTrue={`Showing items as of ${exactTime(list.readAt)}.`} onRetry={list.retry} />}
        <Rows list={list} onOpen={props.onOpen} />
      </>
    );
  }
  if (list.error) return <ErrorNote className="m-3" title="The list could not be read" error={list.error} onRetry={list.retry} />;
  if (list.loading) return <LoadingRows label="Loading items" />;
  return (
    <>
      <SourceNotice view={view} />
      {filter === '' ? <EmptyView view={view} stats={stats} onView={onView} /> : <EmptyByFilter filter={filter} onFilter={onFilter} />}
    </>
  );
}
