import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { PASSPHRASE } from '../platform/fake/keychain';
import { renderApp } from '../test-app';

async function open(scenario: string) {
  const app = await renderApp('/settings', scenario);
  const note = within(await screen.findByRole('status', { name: 'Keychain' }));
  const named = (name: string) => app.platform.calls.filter((call) => call.name === name).map((call) => call.args);
  return { ...app, user: userEvent.setup(), note, named };
}

const gone = () => waitFor(() => expect(screen.queryByRole('status', { name: 'Keychain' })).toBeNull());

test('where no keychain is, a passphrase can be set instead, typed twice', async () => {
  const { user, note, named } = await open('no-keychain');
  await user.click(note.getByRole('button', { name: 'Use a passphrase instead' }));
  expect(note.queryByRole('button', { name: 'Use a passphrase instead' })).toBeNull();
  const [first, second] = [note.getByLabelText<HTMLInputElement>('New passphrase'), note.getByLabelText<HTMLInputElement>('Again')];
  expect([first.type, second.type]).toEqual(['password', 'password']);

  await user.type(first, 'a long passphrase');
  await user.type(second, 'a long passphrasE');
  await user.click(note.getByRole('button', { name: 'Use this passphrase' }));
  expect(note.getByRole('alert').textContent).toBe('The two are not the same.');
  expect([first.value, second.value]).toEqual(['', '']);
  expect(named('keychain_keep')).toEqual([]);

  await user.type(first, 'a long passphrase');
  await user.type(second, 'a long passphrase{Enter}');
  await gone();
  expect(named('keychain_keep')).toEqual([{ keptIn: 'passphrase', passphrase: 'a long passphrase' }]);
});

test('a new passphrase that is refused is told, and the form stays', async () => {
  const { user, note, named } = await open('no-keychain');
  await user.click(note.getByRole('button', { name: 'Use a passphrase instead' }));
  await user.type(note.getByLabelText('New passphrase'), 'short');
  await user.type(note.getByLabelText('Again'), 'short{Enter}');
  await screen.findByText('The passphrase was not set');
  await screen.findByText('a passphrase has 12 to 1000 characters');
  expect(named('keychain_keep')).toHaveLength(1);
  expect(note.getByLabelText<HTMLInputElement>('New passphrase').value).toBe('');
  await user.click(note.getByRole('button', { name: 'Cancel' }));
  expect(note.getByRole('button', { name: 'Use a passphrase instead' })).toBeDefined();
});

test('secrets under a passphrase are unlocked with it', async () => {
  const { user, note, named } = await open('passphrase');
  expect(note.getAllByRole('button').map((button) => button.textContent)).toEqual(['Unlock']);
  await user.click(note.getByRole('button', { name: 'Unlock' }));
  expect(named('keychain_unlock')).toEqual([]);
  await user.type(note.getByLabelText('Passphrase'), `${PASSPHRASE}{Enter}`);
  await gone();
  expect(named('keychain_unlock')).toEqual([{ passphrase: PASSPHRASE }]);
});

test('a wrong passphrase is told, is not kept, and another can be tried', async () => {
  const { user, note, client } = await open('passphrase');
  const field = note.getByLabelText<HTMLInputElement>('Passphrase');
  await user.type(field, 'not this one{Enter}');
  await screen.findByText('The secrets were not unlocked');
  await screen.findByText('that is not the passphrase Try again.');
  expect(field.value).toBe('');
  await waitFor(() => expect(JSON.stringify(client.getMutationCache().getAll().map((mutation) => mutation.state))).not.toContain('not this one'));
  await user.type(field, `${PASSPHRASE}{Enter}`);
  await gone();
});

test('a locked keychain is unlocked by the system, without a passphrase', async () => {
  const { user, note, named } = await open('locked');
  expect(note.queryByLabelText('Passphrase')).toBeNull();
  expect(note.queryByRole('button', { name: 'Use a passphrase instead' })).toBeNull();
  await user.click(note.getByRole('button', { name: 'Unlock' }));
  await gone();
  expect(named('keychain_unlock')).toEqual([{ passphrase: null }]);
});
