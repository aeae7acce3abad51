import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

test('a secret is sent once and stays nowhere in the page or the caches', async () => {
  const user = userEvent.setup();
  const { platform, client } = await renderApp('/plugins/devrig-plugin-builds');
  const field = await screen.findByLabelText<HTMLInputElement>('token');
  await user.type(field, 'hunter2-hunter2');
  await user.click(screen.getByRole('button', { name: 'Replace' }));
  await waitFor(() => expect(platform.calls.find((call) => call.name === 'secret_set')?.args).toEqual({ account: 'acc_builds', name: 'token', value: 'hunter2-hunter2' }));
  expect(field.value).toBe('');
  await waitFor(() => {
    const held = JSON.stringify([
      client.getQueryCache().getAll().map((query) => query.state),
      client.getMutationCache().getAll().map((mutation) => mutation.state),
    ]);
    expect(held).not.toContain('hunter2');
  });
  expect(document.documentElement.outerHTML).not.toContain('hunter2');
});

test('one permission is granted, another revoked', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/plugins/devrig-plugin-builds');
  await user.click(await screen.findByRole('button', { name: 'Grant network' }));
  await user.click(await screen.findByRole('button', { name: 'Revoke secrets:token' }));
  await screen.findByRole('button', { name: 'Grant secrets:token' });
  expect(platform.calls.find((call) => call.name === 'account_grant')?.args).toEqual({ id: 'acc_builds', permissions: ['network'] });
  expect(platform.calls.find((call) => call.name === 'account_revoke')?.args).toEqual({ id: 'acc_builds', permission: 'secrets:token' });
});

test('settings are saved, and what the engine refuses is shown at its field', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/plugins/devrig-plugin-git-local');
  const form = (await screen.findByRole('button', { name: 'Save settings' })).closest('form')!;
  await user.type(within(form).getByRole('textbox', { name: /Folders/ }), 'relative{Enter}');
  await user.click(screen.getByRole('button', { name: 'Save settings' }));
  expect((await within(form).findByRole('alert')).textContent).toContain('relative is not a folder');
  await user.click(screen.getByRole('button', { name: 'Remove relative' }));
  const hours = within(form).getByRole('textbox', { name: /old after/ });
  await user.clear(hours);
  await user.type(hours, '9000');
  await user.click(screen.getByRole('button', { name: 'Save settings' }));
  expect(await within(form).findByText('This must be at most 720.')).toBeDefined();
  await user.clear(hours);
  await user.type(hours, '48');
  await user.click(screen.getByRole('button', { name: 'Save settings' }));
  await waitFor(() => expect(platform.calls.findLast((call) => call.name === 'account_configure')?.args).toEqual({ id: 'acc_git', settings: { folders: ['/home/kim/code', '/home/kim/work'], oldAfterHours: 48, stashes: true } }));
});

test('switching a plugin off asks the engine', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/plugins/devrig-plugin-git-local');
  await user.click(await screen.findByRole('switch', { name: 'Enable Local git' }));
  await screen.findByText('Off');
  expect(platform.calls.find((call) => call.name === 'plugin_toggle')?.args).toEqual({ name: 'devrig-plugin-git-local', enabled: false });
});

test('a token is checked at once, and whose it is stays on the account', async () => {
  const user = userEvent.setup();
  const { platform, client } = await renderApp('/plugins/devrig-plugin-forge');
  const field = await screen.findByLabelText<HTMLInputElement>('Access token');
  expect(screen.getByText('to run failed checks again')).toBeDefined();
  expect(screen.getByText('Connecting allows Forge:')).toBeDefined();
  await user.click(screen.getByRole('button', { name: 'Get one' }));
  expect(platform.opened).toContain('https://forge.example/tokens/new');
  await user.type(field, 'forge-token-hunter2');
  await user.click(screen.getByRole('button', { name: 'Allow and connect' }));
  expect((await screen.findByText(/Connected as/)).textContent).toContain('kim');
  expect(screen.getByText(/lacks the right workflow/)).toBeDefined();
  const names = platform.calls.map((call) => call.name);
  expect(names.indexOf('secret_set')).toBeLessThan(names.indexOf('account_grant'));
  expect(names.indexOf('account_grant')).toBeLessThan(names.indexOf('account_check'));
  expect(screen.queryByLabelText('Access token')).toBeNull();
  const held = JSON.stringify(client.getMutationCache().getAll().map((mutation) => mutation.state));
  expect(held).not.toContain('hunter2');
  await user.click(screen.getByRole('button', { name: 'Replace' }));
  await screen.findByLabelText('Access token');
});

test('quiet hours are set, refused with words, and taken off again', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/plugins/devrig-plugin-git-local');
  await user.click((await screen.findAllByRole('button', { name: /Change quiet hours/ }))[0]!);
  const field = screen.getByLabelText('Quiet hours');
  await user.type(field, 'noon{Enter}');
  expect((await screen.findByRole('alert')).textContent).toContain('22:00-07:00 Europe/Berlin');
  await user.clear(field);
  await user.type(field, '21:00-08:00 UTC{Enter}');
  await waitFor(() => expect(platform.calls.findLast((call) => call.name === 'sync_configure')?.args).toMatchObject({ quietHours: '21:00-08:00 UTC' }));
  await waitFor(() => expect(screen.queryByLabelText('Quiet hours')).toBeNull());
});
