import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

const press = async (keys: string) => userEvent.setup().keyboard(keys);
const edit = async (name: RegExp) => {
  await userEvent.setup().click(await screen.findByRole('button', { name }));
  return within(await screen.findByRole('dialog'));
};
type App = Awaited<ReturnType<typeof renderApp>>;
const saved = ({ platform }: App) => platform.calls.filter((call) => call.name === 'settings_set').map((call) => call.args);

/** The app with keys that are stored already. */
async function renderWith(stored: unknown, path = '/settings') {
  const app = await renderApp(path);
  await app.platform.call('settings_set', { key: 'keys.map', value: stored });
  app.platform.calls.length = 0;
  app.platform.emit({ type: 'stale', tags: ['settings'] });
  return app;
}

test('a new key acts, and everything that shows keys shows it', async () => {
  const app = await renderApp('/settings');
  const dialog = await edit(/^Done: e/);
  await press('d');
  expect(dialog.getByRole<HTMLInputElement>('textbox', { name: 'New key' }).value).toBe('d');
  await press('{Enter}');
  await screen.findByRole('button', { name: 'Done: d. Change' });
  expect(saved(app)).toEqual([{ key: 'keys.map', value: { done: ['d'] } }]);

  await press('gi');
  await waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(5));
  expect(screen.getByRole('button', { name: 'Done' }).getAttribute('aria-keyshortcuts')).toBe('d');
  await press('?');
  const sheet = within(await screen.findByRole('dialog', { name: 'Keys' }));
  expect(within(sheet.getByText('Done').parentElement!).getByText('d')).toBeDefined();
  await press('{Escape}');
  await press('{Control>}k{/Control}');
  const palette = within(await screen.findByRole('dialog', { name: 'Command palette' }));
  expect(within(palette.getAllByText('Done')[0]!.closest<HTMLElement>('[cmdk-item]')!).getByText('d')).toBeDefined();
  await press('{Escape}');
  await press('e');
  expect(app.platform.calls.some((call) => call.name === 'inbox_operate')).toBe(false);
  await press('d');
  await waitFor(() => expect(app.platform.calls.some((call) => call.name === 'inbox_operate')).toBe(true));
});

test('a chord is two keys one after the other', async () => {
  const app = await renderApp('/settings');
  await edit(/^Star: s/);
  await press('gx');
  await press('{Enter}');
  await screen.findByRole('button', { name: 'Star: g then x. Change' });
  expect(saved(app)).toEqual([{ key: 'keys.map', value: { star: ['g x'] } }]);
});

test('a key that is taken is told by name, and can be swapped or left', async () => {
  const app = await renderApp('/settings');
  let dialog = await edit(/^Done: e/);
  await press('s');
  await dialog.findByText('s is the key of “Star”.');
  await userEvent.setup().click(dialog.getByRole('button', { name: 'Cancel' }));
  expect(saved(app)).toEqual([]);
  dialog = await edit(/^Done: e/);
  await press('s');
  await userEvent.setup().click(dialog.getByRole('button', { name: 'Swap with “Star”' }));
  await screen.findByRole('button', { name: 'Star: e. Change' });
  expect(saved(app)).toEqual([{ key: 'keys.map', value: { done: ['s'], star: ['e'] } }]);
});

test('a key that begins chords cannot be taken', async () => {
  const app = await renderApp('/settings');
  const dialog = await edit(/^Done: e/);
  await press('g');
  await dialog.findByText(/begins g then i, the keys of “Inbox”/);
  expect(dialog.getByRole<HTMLButtonElement>('button', { name: 'Save' }).disabled).toBe(true);
  await press('{Enter}');
  expect(saved(app)).toEqual([]);
});

test('the way back cannot be taken', async () => {
  const app = await renderApp('/settings');
  const dialog = await edit(/^Done: e/);
  for (const keys of ['{Control>}k{/Control}', '{F6}']) {
    await press(keys);
    await dialog.findByText(/always keeps its own meaning/);
    expect(dialog.getByRole<HTMLInputElement>('textbox').value).toBe('');
  }
  await press('{Tab}');
  expect(document.activeElement?.textContent).toBe('Cancel');
  await press('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(saved(app)).toEqual([]);
  expect(screen.queryByRole('button', { name: /^Command palette/ })).toBeNull();
});

test('one command is reset, and then all', async () => {
  const app = await renderWith({ done: ['s'], star: ['e'], read: ['q'] });
  const dialog = await edit(/^Done: s/);
  await userEvent.setup().click(dialog.getByRole('button', { name: 'Reset' }));
  await screen.findByRole('button', { name: 'Star: s. Change' });
  expect(saved(app)).toEqual([{ key: 'keys.map', value: { read: ['q'] } }]);
  await userEvent.setup().click(screen.getByRole('button', { name: 'Reset all' }));
  await userEvent.setup().click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Reset all' }));
  await screen.findByRole('button', { name: 'Read or unread: u. Change' });
  expect(saved(app).at(-1)).toEqual({ key: 'keys.map', value: {} });
});

test('stored keys that are broken are told, and the usual ones act', async () => {
  const app = await renderWith({ done: ['nonsense'], fly: ['f'], star: ['w'] });
  await screen.findByText('Done: “nonsense” is no key.');
  screen.getByText('There is no command “fly”.');
  await screen.findByRole('button', { name: 'Done: e. Change' });
  screen.getByRole('button', { name: 'Star: w. Change' });
  await userEvent.setup().click(screen.getByRole('button', { name: 'Forget them' }));
  await waitFor(() => expect(screen.queryByText('There is no command “fly”.')).toBeNull());
  expect(saved(app)).toEqual([{ key: 'keys.map', value: { star: ['w'] } }]);
});

test('a chord that begins with a key of its own does not eat it while a filter is typed', async () => {
  await renderWith({ star: ['Space x'], done: ['Enter x'], open: ['w'] }, '/inbox');
  await waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(5));
  await waitFor(() => expect(screen.getByRole('button', { name: 'Star' }).getAttribute('aria-keyshortcuts')).toBe('Space then x'));
  await press('/');
  await press('a b');
  expect(screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter' }).value).toBe('a b');
});
