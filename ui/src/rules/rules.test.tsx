import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { makeItems } from '../platform/fake/items';
import { renderApp } from '../test-app';
import { draftOf, EMPTY, queryLike } from './draft';

test('a rule is tried as it is written, saved, switched off and deleted', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/rules');
  const named = (name: string) => platform.calls.filter((call) => call.name === name).map((call) => call.args);
  await screen.findByText('Done when merged or closed');
  await user.click(screen.getByRole('button', { name: 'New rule' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByLabelText('Name'), 'Quiet builds');
  await user.type(dialog.getByLabelText('When an item matches'), 'type:build');
  await dialog.findByText(/matching items/);
  await user.click(dialog.getByRole('button', { name: 'Save rule' }));
  await screen.findByText('Quiet builds');
  expect(named('rule_save')).toEqual([{ id: null, rule: { name: 'Quiet builds', query: 'type:build', operations: [{ kind: 'done' }], snooze: null, notify: false, enabled: true } }]);
  await user.click(screen.getByRole('switch', { name: 'Rule Quiet builds' }));
  await waitFor(() => expect(screen.getByRole('switch', { name: 'Rule Quiet builds' }).getAttribute('aria-checked')).toBe('false'));
  await user.click(screen.getByRole('button', { name: 'Delete Quiet builds' }));
  await waitFor(() => expect(screen.queryByText('Quiet builds')).toBeNull());
});

test('what the engine refuses is told in the form, and nothing is lost', async () => {
  const user = userEvent.setup();
  await renderApp('/rules?query=repo%3Aa%2Fb');
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByLabelText<HTMLInputElement>('When an item matches').value).toBe('repo:a/b');
  await user.click(dialog.getByRole('button', { name: 'Save rule' }));
  expect((await dialog.findByRole('alert')).textContent).toContain('name');
  expect(dialog.getByLabelText<HTMLInputElement>('When an item matches').value).toBe('repo:a/b');
});

test('a draft holds what the form shows, and a query is made of an item', () => {
  const draft = draftOf({ ...EMPTY, name: ' x ', query: 'a', done: false, read: true, priority: 'low', label: 'one, two,', snooze: '2d' });
  expect(draft).toEqual({
    name: 'x', query: 'a', enabled: true, snooze: '2d', notify: false,
    operations: [{ kind: 'read' }, { kind: 'setPriority', priority: 'low' }, { kind: 'addLabels', labels: ['one', 'two'] }],
  });
  const item = { ...makeItems(1)[0]!, type: 'pull_request', repo: 'acme/my repo', reason: 'subscribed', actor: 'dependabot[bot]' };
  expect(queryLike(item)).toBe('type:pull_request repo:"acme/my repo" reason:subscribed author:dependabot[bot]');
  expect(queryLike(item, { ...item, repo: 'acme/other', actor: 'kim' })).toBe('type:pull_request reason:subscribed');
});
