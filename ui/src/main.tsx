import './app.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { connect, makeQueryClient } from './api/client';
import { makeEventHandler } from './api/events';
import { toastError } from './components/toast';
import { choosePlatform } from './platform/choose';
import { goTo, makeRouter } from './router';
import { applyZoom } from './settings/appearance';
import { NeedsApp } from './shell/NeedsApp';

const root = createRoot(document.getElementById('root')!);
const platform = await choosePlatform();

if (platform === null) {
  root.render(<NeedsApp />);
} else {
  connect(platform);
  applyZoom();
  const client = makeQueryClient(toastError);
  const router = makeRouter();
  // Listens before the first read, so that nothing changes unseen between the two.
  await platform.onEvent(makeEventHandler(client));
  await platform.onGo((path) => goTo(router, path));
  root.render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
