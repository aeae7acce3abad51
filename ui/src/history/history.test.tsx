import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

const rows = () => screen.getAllByRole('row').filter((row) => row.dataset['operation'] !== undefined);
const focused = () => document.activeElement?.getAttribute('aria-label') ?? '';
const press = async (keys: string) => userEvent.setup().keyboard(keys);

test('g h shows what was done, by whom and to what, under its day', async () => {
  const { router } = await renderApp('/inbox');
  await screen.findAllByRole('option');
  await press('gh');
  await screen.findByRole('heading', { name: 'History' });
  expect(router.state.location.pathname).toBe('/history');
  await waitFor(() => expect(rows()).toHaveLength(50));
  const text = rows().map((row) => row.textContent);
  expect(text[0]).toContain('12 items');
  expect(text[0]).toContain('and 9 more');
  expect(text[0]).toContain('by you');
  expect(text[2]).toContain('by the rule “Dependency bots are read”');
  expect(text[4]).toContain('by AI');
  expect(text[7]).toContain('by Build watch');
});

test('z and Enter undo the row in focus, and the row says so', async () => {
  const { platform } = await renderApp('/history');
  await waitFor(() => expect(focused()).toContain('12 items'));
  await press('j');
  await press('z');
  await waitFor(() => expect(within(rows()[1]!).getByText('undone')).toBeDefined());
  expect(focused()).toContain('Undone');
  await press('j');
  await press('{Enter}');
  await waitFor(() => expect(within(rows()[2]!).getByText('undone')).toBeDefined());
  const undone = platform.calls.filter((call) => call.name === 'inbox_undo');
  expect(undone.map((call) => call.args)).toEqual([{ operationId: 'op_past_2' }, { operationId: 'op_past_3' }]);
});

test('what is undone already, or cannot be undone, is not asked of the engine', async () => {
  const { platform } = await renderApp('/history');
  await waitFor(() => expect(focused()).toContain('12 items'));
  await press('jjjz');
  await screen.findAllByText('This is undone already');
  await press('jjjz');
  await screen.findAllByText('This cannot be undone any more');
  expect(platform.calls.some((call) => call.name === 'inbox_undo')).toBe(false);
});

test('older operations follow when the focus comes near the end', async () => {
  const { platform } = await renderApp('/history');
  await waitFor(() => expect(rows()).toHaveLength(50));
  await press('{End}');
  await waitFor(() => expect(rows()).toHaveLength(70));
  expect(focused()).toContain('Build');
  expect(platform.calls.findLast((call) => call.name === 'inbox_operations')?.args).toEqual({ before: 'op_past_50', limit: 50 });
  expect(screen.queryByRole('button', { name: 'Show older' })).toBeNull();
});

test('what happens meanwhile appears above, and the focus stays on its operation', async () => {
  const { platform } = await renderApp('/history');
  await waitFor(() => expect(focused()).toContain('12 items'));
  const { items } = await platform.call('inbox_list', { query: 'is:inbox', limit: 1 });
  await platform.call('inbox_operate', { operation: { kind: 'star' }, target: { ids: [items[0]!.id] } });
  await waitFor(() => expect(rows()[0]!.textContent).toContain('Starred'));
  expect(focused()).toContain('12 items');
  await press('kz');
  await waitFor(() => expect(within(rows()[0]!).getByText('undone')).toBeDefined());
});

test('a history of nothing says so', async () => {
  await renderApp('/history', 'first-run');
  await screen.findByText('Nothing was done yet');
});

test('a history that cannot be read is told, and can be read again', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/history', 'broken');
  await screen.findByText('The history could not be read', undefined, { timeout: 10_000 });
  const before = platform.calls.filter((call) => call.name === 'inbox_operations').length;
  await user.click(screen.getByRole('button', { name: 'Retry' }));
  await waitFor(() => expect(platform.calls.filter((call) => call.name === 'inbox_operations').length).toBeGreaterThan(before));
});
