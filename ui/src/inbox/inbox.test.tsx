import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

const options = () => screen.getAllByRole('option');
const focused = () => document.getElementById(screen.getByRole('listbox').getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-label');
const press = async (keys: string) => userEvent.setup().keyboard(keys);

test('j, e and z: the next row, done, and back where it was', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('j');
  expect(focused()).toContain('7 commits behind');
  await press('e');
  await waitFor(() => expect(options().some((row) => row.getAttribute('aria-label')?.includes('7 commits behind'))).toBe(false));
  expect(focused()).toContain('Nightly build failed');
  await screen.findByText(/Done\. 58 left\. Z to undo\./);
  await press('z');
  await waitFor(() => expect(focused()).toContain('7 commits behind'));
  expect(options()[1]!.getAttribute('aria-label')).toContain('7 commits behind');
  expect(platform.calls.filter((call) => call.name === 'inbox_operate')).toHaveLength(1);
});

test('a selection is done at once and undone at once', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('x');
  await press('{Shift>}jj{/Shift}');
  expect(screen.getByText('3 selected')).toBeDefined();
  await press('e');
  await screen.findByText(/Done: 3 items\. 56 left/);
  const call = platform.calls.find((each) => each.name === 'inbox_operate')!;
  expect((call.args as { target: { ids: string[] } }).target.ids).toHaveLength(3);
});

test('everything in the view is one operation on its query', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('*a');
  expect(screen.getByText('All 59 in this view')).toBeDefined();
  await press('e');
  await screen.findByText('Nothing waiting');
  expect(platform.calls.find((each) => each.name === 'inbox_operate')?.args).toEqual({ operation: { kind: 'done' }, target: { query: 'is:inbox' } });
});

test('looking at a row leaves it unread, opening it marks it read', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Unread'));
  await press('j');
  await press('k');
  expect(platform.calls.some((call) => call.name === 'inbox_operate')).toBe(false);
  await press('{Enter}');
  await waitFor(() => expect(focused()).not.toContain('Unread'));
});

test('keys do nothing while a filter is typed', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('/');
  await press('eeex');
  expect(screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter' }).value).toBe('eeex');
  expect(platform.calls.some((call) => call.name === 'inbox_operate')).toBe(false);
});

test('a filter that is not understood is underlined, and the rows stay', async () => {
  await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('/');
  await press('colour:red');
  const alert = await screen.findByRole('alert');
  expect(within(alert).getByText('colour:red').className).toContain('underline');
  expect(options().length).toBeGreaterThan(5);
});

test('h and a number snooze until a time to come', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('h');
  await screen.findByRole('dialog', { name: 'Snooze' });
  await press('6');
  await waitFor(() => expect(platform.calls.find((call) => call.name === 'inbox_operate')).toBeDefined());
  const { operation } = platform.calls.find((call) => call.name === 'inbox_operate')!.args as { operation: { kind: string; until: string } };
  expect(operation.kind).toBe('snooze');
  expect(Date.parse(operation.until)).toBeGreaterThan(Date.now());
});

test('news of other rows leave the focus on its item', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('jj');
  const before = focused();
  const page = await platform.call('inbox_list', { query: 'is:inbox', limit: 5 });
  platform.emit({ type: 'itemsChanged', items: [{ ...page.items[0]!, title: 'A new title' }], removed: [page.items[1]!.id] });
  await waitFor(() => expect(options()[0]!.getAttribute('aria-label')).toContain('A new title'));
  expect(focused()).toBe(before);
});

test('g p goes to the plugins, and the key sheet lists what the keys do', async () => {
  const { router } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('?');
  const sheet = await screen.findByRole('dialog', { name: 'Keys' });
  expect(within(sheet).getByText('Mute thread')).toBeDefined();
  await press('{Escape}');
  // While the sheet has the focus, keys are its own.
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await press('gp');
  await waitFor(() => expect(router.state.location.pathname).toBe('/plugins'));
});

test('a clicked notification shows its item, in whatever view it lies', async () => {
  const { platform, router } = await renderApp('/plugins');
  await screen.findByRole('heading', { name: 'Plugins' });
  const { items } = await platform.call('inbox_list', { query: 'is:snoozed' });
  platform.go(`/inbox?view=all&item=${items[0]!.id}`);
  await waitFor(() => expect(focused()).toContain(items[0]!.title));
  expect(router.state.location.pathname).toBe('/inbox');
});

test('an action that failed says why beside its item, and can be sent again', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await user.click(screen.getByRole('option', { name: /Nightly build failed/ }));
  const note = await screen.findByText('Restart failed');
  const panel = within(note.closest<HTMLElement>('[role=alert]')!);
  panel.getByText('builds.example.com refused the token');
  await user.click(panel.getByRole('button', { name: 'Try again' }));
  expect(platform.calls.filter((call) => call.name === 'outbox_retry')).toHaveLength(1);
  await screen.findByText('Restart is on its way');
});

test('a snooze is typed as people write it, and what is understood is echoed', async () => {
  const { platform } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('h');
  const dialog = within(await screen.findByRole('dialog', { name: 'Snooze' }));
  await press('whenever');
  await dialog.findByText(/"whenever" is no time/);
  await userEvent.setup().clear(dialog.getByRole('textbox'));
  await press('when merged');
  await dialog.findByText('Until it is merged');
  await press('{Enter}');
  await waitFor(() => expect(platform.calls.find((call) => call.name === 'inbox_operate')?.args).toMatchObject({ operation: { kind: 'snooze', until: 'merged' } }));
});

test('a page that is still loading is not called back by the address of the item in focus', async () => {
  const { router } = await renderApp('/inbox');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await press('j');
  // The address follows the focus after 400 ms; the history's page is asked for just before.
  await new Promise((later) => setTimeout(later, 380));
  await press('gh');
  await new Promise((later) => setTimeout(later, 400));
  await waitFor(() => expect(router.state.location.pathname).toBe('/history'));
});
