import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

test('folders, grant, and five keys on the first items', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/inbox', 'first-run');
  const named = (name: string) => platform.calls.filter((call) => call.name === name).map((call) => call.args);

  await user.type(await screen.findByRole('textbox', { name: 'Folder' }), '/home/kim/work{Enter}');
  await user.click(screen.getByRole('button', { name: 'Choose…' }));
  await user.click(screen.getByRole('button', { name: 'Continue' }));
  expect(named('account_configure')).toEqual([{ id: 'acc_git', settings: { folders: ['/home/kim/work', '/home/kim/code'] } }]);

  await screen.findByText('Put items into your inbox.');
  await user.click(screen.getByRole('button', { name: 'Grant and look for items' }));
  await screen.findByText('Try these:');
  expect(named('account_grant')).toEqual([{ id: 'acc_git', permissions: null }]);
  expect(named('sync_now')).toEqual([{ account: 'acc_git' }]);

  await waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(3));
  await user.keyboard('j{Enter}');
  expect(screen.getAllByRole('img', { name: 'used' })).toHaveLength(2);
  await user.click(screen.getByRole('button', { name: 'Finish the introduction' }));
  await waitFor(() => expect(screen.queryByText('Try these:')).toBeNull());
  expect(named('settings_set')).toEqual([{ key: 'onboarding.finished', value: true }]);
});

test('a folder that is refused is shown where it stands, and nothing goes on', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/inbox', 'first-run');
  await user.type(await screen.findByRole('textbox', { name: 'Folder' }), 'not-a-path{Enter}');
  await user.click(screen.getByRole('button', { name: 'Continue' }));
  expect((await screen.findByRole('alert')).textContent).toContain('not-a-path is not a folder');
  expect(platform.calls.some((call) => call.name === 'account_grant')).toBe(false);
});

test('skipping leads to the inbox and is remembered', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/inbox', 'first-run');
  await user.click(await screen.findByRole('button', { name: 'Skip the introduction' }));
  await screen.findByText('Nothing waiting');
  expect(platform.calls.find((call) => call.name === 'settings_set')?.args).toEqual({ key: 'onboarding.finished', value: true });
});

test('a service is connected with a token instead, and the keys follow', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/inbox', 'first-run');
  await user.click(await screen.findByRole('button', { name: 'Connect Forge' }));
  const go = screen.getByRole<HTMLButtonElement>('button', { name: 'Continue' });
  expect(go.disabled).toBe(true);
  await user.type(screen.getByLabelText('Access token'), 'tok_1');
  await user.click(screen.getByRole('button', { name: 'Allow and connect' }));
  await screen.findByText('kim');
  expect(platform.calls.some((call) => call.name === 'account_grant' && (call.args as { id: string }).id === 'acc_forge')).toBe(true);
  await user.click(screen.getByRole('button', { name: 'Continue' }));
  await screen.findByText('Try these:');
});
