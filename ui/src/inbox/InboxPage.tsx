import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';

import { checkQuery, engineQuery, pluginsQuery, settingsQuery, splitsQuery, statsQuery } from '../api/queries';
import { Boundary } from '../components/Boundary';
import { isTyping, runCommand, useCommands } from '../keys/commands';
import { LIST, setListWidth, setSidebarWidth, SIDEBAR, columnsAt, listWidth, useLayout } from '../shell/layout';
import { focusNamed } from '../shell/regions';
import { Splitter } from '../shell/Splitter';
import { useWindowWidth } from '../shell/useWindowWidth';
import { between, moved, type AfterTriage } from './focus';
import { useFirstRun } from './firstRun';
import { useGrouping, useGroupingChoice } from './groupingChoice';
import { List } from './List';
import { ListBar } from './ListBar';
import { ReadingPane } from './ReadingPane';
import { Sidebar } from './Sidebar';
import { SnoozePopover } from './SnoozePopover';
import { splitViews } from './splits';
import { SplitsLayer } from './SplitsLayer';
import { check, checkWhole, clearChecked, focusRow, startList, toggleAll, toggleChecked, useInbox } from './state';
import { useInboxList } from './useInboxList';
import { useTriage } from './useTriage';
import { fixedViews, joinQuery, sourceViews } from './views';

/** The last query that was understood: while a filter is being typed, the list shows what it showed. */
function useLastGood(query: string, view: string, good: boolean): string {
  const [last, setLast] = useState({ query: good ? query : view, view });
  const stale = last.view !== view;
  if (good ? last.query !== query || stale : stale) setLast({ query: good ? query : view, view });
  return good ? query : stale ? view : last.query;
}

const FirstRun = lazy(() => import('./FirstRun'));
const KeyLesson = lazy(() => import('./KeyLesson'));

const route = getRouteApi('/inbox');

export function InboxPage() {
  const { view: viewId = 'inbox', q: filter = '', item: wantedItem } = route.useSearch();
  const navigate = route.useNavigate();
  const router = useRouter();
  const { data: stats } = useQuery(statsQuery());
  const { data: plugins = [] } = useQuery(pluginsQuery());
  const { data: settings } = useQuery(settingsQuery());
  const { data: engine } = useQuery(engineQuery());
  const firstRun = useFirstRun(engine, settings);

  const views = useMemo(() => fixedViews(stats), [stats]);
  const sources = useMemo(() => sourceViews(plugins, stats), [plugins, stats]);
  const { data: stored } = useQuery(splitsQuery());
  const splits = useMemo(() => splitViews(stored ?? []), [stored]);
  const [editing, setEditing] = useState(false);
  const view = [...views, ...splits, ...sources].find((each) => each.id === viewId) ?? views[0]!;

  const { data: checked, isPlaceholderData: checking } = useQuery({ ...checkQuery(filter), enabled: filter !== '' });
  const queryError = filter === '' ? null : (checked?.error ?? null);
  const query = useLastGood(joinQuery(view.query, filter), view.query, filter === '' || (checked?.ok === true && !checking));
  const list = useInboxList(query, useGrouping(view.id));
  useEffect(() => {
    useGroupingChoice.setState({ view: view.id });
    return () => useGroupingChoice.setState({ view: null });
  }, [view.id]);
  const triage = useTriage(list, (settings?.['inbox.afterTriage'] as AfterTriage | undefined) ?? 'next');
  const { focused } = list;

  // The address names the item in focus, for a window that is loaded again; not at every key.
  const started = useRef<string | null>(null);
  useEffect(() => {
    if (started.current === query) return;
    startList(wantedItem ?? (started.current === null ? useInbox.getState().focusId : null));
    // Another list begins at its beginning, wherever it was left.
    if (started.current !== null && !list.atHead) list.goTo(0);
    started.current = query;
    // eslint-disable-next-line react/exhaustive-deps -- once for each query
  }, [query, wantedItem]);
  useEffect(() => {
    if (list.focusId === null || list.focusId === wantedItem) return;
    const id = list.focusId;
    const timer = setTimeout(() => {
      // Somebody who is on the way to another page, which may still be loading, must not be called back.
      if (router.history.location.pathname === '/inbox') void navigate({ search: (old) => ({ ...old, item: id }), replace: true });
    }, 400);
    return () => clearTimeout(timer);
  }, [list.focusId, wantedItem, navigate, router]);

  const width = useWindowWidth();
  const columns = columnsAt(width);
  const layout = useLayout();
  const reading = useInbox((state) => state.reading);
  const sidebarShown = columns === 'four' ? !layout.folded : layout.overlay;
  const sidebarTakes = columns === 'four' && sidebarShown ? layout.sidebar : 0;
  const showList = columns !== 'one' || !reading;
  const showPane = columns !== 'one' || reading;

  const open = (id: string) => {
    focusRow(id);
    triage.markRead(id);
    useInbox.setState({ reading: true });
  };
  const setFilter = (q: string) => void navigate({ search: (old) => ({ ...old, q: q || undefined }), replace: true });
  const setView = (id: string) => {
    useLayout.setState({ overlay: false });
    void navigate({ search: { view: id } });
  };
  const stepView = (by: number) => {
    const all = [...views, ...splits, ...sources];
    const at = all.findIndex((each) => each.id === view.id);
    setView(all[(at + by + all.length) % all.length]!.id);
  };
  const move = (by: number) => {
    // From a row that was scrolled away from, the list goes back to it.
    const away = list.focusId !== null && !list.ids.includes(list.focusId) && list.start !== null;
    if (away) list.goTo(Math.max(0, useInbox.getState().focusIndex + by));
    else {
      const id = moved(list.ids, list.focusId, by);
      if (id !== null) focusRow(id, (list.start ?? 0) + list.ids.indexOf(id));
    }
  };
  const extend = (by: number) => {
    if (list.focusId === null) return;
    const from = useInbox.getState().anchor;
    const anchor = from !== null && list.ids.includes(from) ? from : list.focusId;
    const to = moved(list.ids, list.focusId, by)!;
    check(between(list.ids, anchor, to));
    useInbox.setState({ anchor });
    focusRow(to);
  };
  const back = () => {
    const state = useInbox.getState();
    const inPane = document.activeElement?.closest('[data-region=pane]');
    if (layout.overlay) useLayout.setState({ overlay: false });
    else if (inPane || (columns === 'one' && state.reading)) {
      useInbox.setState({ reading: false });
      setTimeout(() => focusNamed('list'), 0);
    } else if (state.checked.size > 0 || state.whole !== null) clearChecked();
    else if (filter !== '') setFilter('');
  };
  const group = list.groups?.find(({ items }) => items.some((item) => item.id === list.focusId));
  const withFocus = (then: (id: string) => void) => (list.focusId === null ? undefined : () => then(list.focusId!));

  useCommands({
    next: () => move(1),
    previous: () => move(-1),
    pageDown: () => move(12),
    pageUp: () => move(-12),
    first: () => list.goTo(0),
    last: () => list.goTo('last'),
    open: withFocus((id) => {
      open(id);
      setTimeout(() => focusNamed('pane'), 0);
    }),
    back,
    nextView: () => stepView(1),
    previousView: () => stepView(-1),
    done: withFocus(triage.done),
    snooze: withFocus(() => useInbox.setState({ snoozing: true })),
    star: withFocus(triage.star),
    read: withFocus(triage.read),
    mute: withFocus(triage.mute),
    source: focused?.sourceUrl ? () => triage.openSource(focused.id) : undefined,
    actions: () => void runCommand('palette'),
    undo: triage.undo,
    redo: triage.redo,
    select: withFocus((id) => {
      toggleChecked(id);
    }),
    extendDown: () => extend(1),
    extendUp: () => extend(-1),
    selectAll: () => checkWhole(query),
    selectGroup: group && (() => toggleAll(group.items.map((item) => item.id))),
    filter: () => document.querySelector<HTMLInputElement>('#filter')?.focus(),
    sidebar: () => useLayout.setState(columns === 'four' ? { folded: !layout.folded } : { overlay: !layout.overlay }),
  });

  // The list has the keys from the start, without a first click.
  const ready = list.rows.length > 0;
  useEffect(() => {
    if (ready && (document.activeElement === document.body || !document.activeElement)) focusNamed('list');
  }, [ready]);

  if (firstRun.step !== 'keys' && firstRun.step !== 'none') {
    return (
      <Suspense fallback={null}>
        <FirstRun step={firstRun.step} onStep={firstRun.go} onSkip={firstRun.finish} />
      </Suspense>
    );
  }

  const sidebar = <Sidebar views={views} splits={splits} sources={sources} current={view.id} onPick={setView} onEditSplits={() => setEditing(true)} />;
  return (
    <div className="relative flex min-h-0 min-w-0 flex-1">
      {columns === 'four' && sidebarShown && (
        <>
          <div style={{ width: layout.sidebar }} className="flex shrink-0 flex-col">
            {sidebar}
          </div>
          <Splitter label="Width of the sidebar" value={layout.sidebar} {...SIDEBAR} onChange={setSidebarWidth} />
        </>
      )}
      {columns !== 'four' && sidebarShown && (
        <div className="layer-in absolute inset-y-0 left-0 z-30 flex w-[232px] flex-col border-r border-line shadow-layer">{sidebar}</div>
      )}
      {showList && (
        <section
          aria-label="Items"
          data-region="list"
          style={columns === 'one' ? undefined : { width: listWidth(width, sidebarTakes, layout.list) }}
          className={`flex min-h-0 flex-col bg-bg1 ${columns === 'one' ? 'min-w-0 flex-1' : 'shrink-0'}`}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && isTyping(event.target)) focusNamed('list');
          }}
        >
          <ListBar view={view} list={list} filter={filter} error={queryError} onFilter={setFilter} triage={triage} onSidebar={columns === 'four' && !layout.folded ? null : () => void runCommand('sidebar')} />
          {firstRun.step === 'keys' && (
            <Suspense fallback={null}>
              <KeyLesson onDone={firstRun.finish} />
            </Suspense>
          )}
          <Boundary name="The list">
            <List list={list} view={view} filter={filter} stats={stats} plugins={plugins} onFilter={setFilter} onOpen={open} onView={setView} />
          </Boundary>
        </section>
      )}
      {columns !== 'one' && <Splitter label="Width of the list" value={listWidth(width, sidebarTakes, layout.list)} {...LIST} onChange={setListWidth} />}
      {showPane && (
        <section aria-label="Reading pane" data-region="pane" className="flex min-h-0 min-w-0 flex-1 flex-col bg-bg1">
          <Boundary name="The reading pane">
            <ReadingPane item={focused} plugins={plugins} triage={triage} onBack={columns === 'one' ? back : null} />
          </Boundary>
        </section>
      )}
      {editing && <SplitsLayer splits={stored ?? []} query={filter} onClose={() => setEditing(false)} />}
      <SnoozePopover rowId={list.focusId} onSnooze={triage.snooze} />
    </div>
  );
}
