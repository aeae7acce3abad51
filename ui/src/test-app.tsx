import { QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';

import { connect, makeQueryClient } from './api/client';
import { makeEventHandler } from './api/events';
import { toastError } from './components/toast';
import { startList } from './inbox/state';
import { fakePlatform, scenarioFrom } from './platform/fake';
import { goTo, makeRouter } from './router';

/** The whole interface on made-up items, for tests that press keys and look at the screen. */
export async function renderApp(path: string, scenario = '') {
  // happy-dom lays nothing out; the virtual list needs a height to show rows in.
  Object.defineProperty(HTMLElement.prototype, 'offsetHeight', { configurable: true, value: 800 });
  Object.defineProperty(HTMLElement.prototype, 'offsetWidth', { configurable: true, value: 460 });
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, value: 800 });
  localStorage.clear();
  startList(null);
  const platform = fakePlatform(scenarioFrom(`?fake=${scenario}`));
  connect(platform);
  const client = makeQueryClient(toastError);
  const router = makeRouter();
  router.update({ history: createMemoryHistory({ initialEntries: [path] }) });
  await platform.onEvent(makeEventHandler(client));
  await platform.onGo((path) => goTo(router, path));
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { platform, client, router };
}
