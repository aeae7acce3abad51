import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

const rows = () => screen.getAllByRole('row').filter((row) => row.dataset['outbox'] !== undefined);
const focused = () => document.activeElement?.getAttribute('aria-label') ?? '';
const press = async (keys: string) => userEvent.setup().keyboard(keys);
const section = (name: string) => within(screen.getByRole('rowgroup', { name })).getAllByRole('row').slice(1).map((row) => row.getAttribute('aria-label'));

async function open() {
  const app = await renderApp('/outbox', 'outbox');
  await waitFor(() => expect(focused()).toContain('Restart'));
  const named = (name: string) => app.platform.calls.filter((call) => call.name === name).map((call) => call.args);
  return { ...app, named };
}

test('g o lists what waits: first what waits for the person, then each account in its order', async () => {
  const { router } = await renderApp('/plugins', 'outbox');
  await screen.findByRole('heading', { name: 'Plugins' });
  await press('go');
  await screen.findByRole('heading', { name: 'Outbox' });
  expect(router.state.location.pathname).toBe('/outbox');
  await waitFor(() => expect(rows()).toHaveLength(6));
  expect(section('Waiting for you')).toEqual([
    'Restart. Nightly build failed: 2 of 318 tests. failed. builds.example.com refused the token',
    expect.stringContaining('Comment. Build 4,182 is green again. needs your decision. DevRig ended'),
  ]);
  expect(section('Build watch')).toEqual([expect.stringMatching(/^Restart build\..* sending$/), expect.stringMatching(/^Mark as flaky\..* behind an older one$/)]);
  expect(section('Local git')).toEqual([expect.stringMatching(/^Fetch\..* about to be sent$/), expect.stringMatching(/^Push\..* behind an older one$/)]);
});

test('j and k move, and t, c and Del do what the buttons of the row say', async () => {
  const { named } = await open();
  expect(within(rows()[0]!).getByRole('button', { name: 'Try again: Restart' }).textContent).toContain('t');
  await press('c');
  expect(named('outbox_cancel')).toEqual([]);
  await press('t');
  await waitFor(() => expect(section('Build watch')).toContainEqual(expect.stringMatching(/^Restart\./)));
  expect(named('outbox_retry')).toEqual([{ id: rows().find((row) => row.getAttribute('aria-label')!.startsWith('Restart. '))!.dataset['outbox'] }]);

  await press('{Home}');
  expect(focused()).toContain('Comment');
  await press('{Delete}');
  await waitFor(() => expect(screen.queryByRole('rowgroup', { name: 'Waiting for you' })).toBeNull());
  expect(named('outbox_discard')).toEqual([{ id: 'out_more_0' }]);

  await press('{End}');
  expect(focused()).toContain('Push');
  await press('kjc');
  await waitFor(() => expect(named('outbox_cancel')).toEqual([{ id: 'out_more_4' }]));
  await waitFor(() => expect(focused()).toContain('Fetch'));
});

test('Enter, and a click on the title, open the item', async () => {
  const { router } = await open();
  await press('{Enter}');
  await waitFor(() => expect(router.state.location.pathname).toBe('/inbox'));
  await waitFor(() => expect(document.getElementById(screen.getByRole('listbox').getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-label')).toContain('Nightly build'));
});

test('the buttons do the same, also where nobody knows whether it arrived', async () => {
  const user = userEvent.setup();
  const { named } = await open();
  await user.click(screen.getByRole('button', { name: 'It arrived: Comment' }));
  await waitFor(() => expect(rows()).toHaveLength(5));
  expect(named('outbox_discard')).toHaveLength(1);
  await user.click(screen.getByRole('button', { name: 'Cancel: Fetch' }));
  await waitFor(() => expect(rows()).toHaveLength(4));
  expect(within(rows()[1]!).queryByRole('button', { name: /^(Cancel|Try again|Discard):/ })).toBeNull();
});

test('the status bar says what waits or failed, and leads there', async () => {
  const user = userEvent.setup();
  const { router } = await renderApp('/plugins', 'outbox');
  const link = await screen.findByRole('link', { name: '1 action failed, 1 to decide, 4 waiting' });
  await user.click(link);
  await waitFor(() => expect(router.state.location.pathname).toBe('/outbox'));
});

test('what cannot be sent without a network says so', async () => {
  await renderApp('/outbox', 'outbox-offline');
  await waitFor(() => expect(section('Build watch')[0]).toContain('waiting for the network'));
});

test('an outbox of nothing says so', async () => {
  await renderApp('/outbox', 'first-run');
  await screen.findByText('Nothing waits to be sent');
  expect(screen.queryByRole('link', { name: /actions? / })).toBeNull();
});

test('an outbox that cannot be read is told, and can be read again', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/outbox', 'broken');
  await screen.findByText('The outbox could not be read', undefined, { timeout: 10_000 });
  const before = platform.calls.filter((call) => call.name === 'outbox_list').length;
  await user.click(screen.getByRole('button', { name: 'Retry' }));
  await waitFor(() => expect(platform.calls.filter((call) => call.name === 'outbox_list').length).toBeGreaterThan(before));
});
