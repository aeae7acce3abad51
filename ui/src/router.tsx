import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { InboxPage } from './inbox/InboxPage';
import { showItem } from './inbox/state';
import { Shell } from './shell/Shell';

export type InboxSearch = { view?: string; q?: string; item?: string };

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const root = createRootRoute({ component: Shell, notFoundComponent: () => <p className="p-6">There is nothing here.</p> });
const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/inbox', replace: true });
  },
});
const inbox = createRoute({
  getParentRoute: () => root,
  path: '/inbox',
  validateSearch: (search: Record<string, unknown>): InboxSearch => ({
    view: text(search['view']),
    q: text(search['q']),
    item: text(search['item']),
  }),
  component: InboxPage,
});
const pluginsPage = lazyRouteComponent(() => import('./plugins/PluginsPage'));
const plugins = createRoute({ getParentRoute: () => root, path: '/plugins', component: pluginsPage });
const plugin = createRoute({ getParentRoute: () => root, path: '/plugins/$name', component: pluginsPage });
const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: lazyRouteComponent(() => import('./settings/SettingsPage')) });
const rules = createRoute({
  getParentRoute: () => root,
  path: '/rules',
  validateSearch: (search: Record<string, unknown>): { query?: string } => (text(search['query']) === undefined ? {} : { query: text(search['query'])! }),
  component: lazyRouteComponent(() => import('./rules/RulesPage')),
});
const outbox = createRoute({ getParentRoute: () => root, path: '/outbox', component: lazyRouteComponent(() => import('./outbox/OutboxPage')) });
const history = createRoute({ getParentRoute: () => root, path: '/history', component: lazyRouteComponent(() => import('./history/HistoryPage')) });

const tree = root.addChildren([index, inbox, plugins, plugin, settings, outbox, history, rules]);

export function makeRouter() {
  return createRouter({ routeTree: tree, defaultPreload: 'intent' });
}

/** Goes to a path from outside of the window: a notification, the tray or a link was clicked. */
export function goTo(router: ReturnType<typeof makeRouter>, path: string): void {
  const item = new URL(path, 'devrig://window').searchParams.get('item');
  if (item) showItem(item);
  router.history.push(path);
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
