import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';
import { setGrouping } from './groupingChoice';

const press = async (keys: string) => userEvent.setup().keyboard(keys);
const focused = () => document.getElementById(screen.getByRole('listbox').getAttribute('aria-activedescendant') ?? '');
const groups = () => screen.getAllByRole('group').map((group) => group.getAttribute('aria-label'));
const open = async (scenario?: string) => {
  setGrouping('inbox', 'none');
  const app = await renderApp('/inbox', scenario);
  await waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(5));
  return app;
};
const groupBy = async (by: string) => {
  const user = userEvent.setup();
  await user.click(screen.getByRole('button', { name: /^Group:/ }));
  await user.click(await screen.findByRole('menuitemradio', { name: by }));
  await waitFor(() => expect(screen.getAllByRole('group').length).toBeGreaterThan(0));
};

test('the list is grouped by repository, and j goes from group to group past their headers', async () => {
  await open();
  await groupBy('repository');
  expect(groups().slice(0, 2)).toEqual(['ledger, 12 items', 'atlas-api, 12 items']);
  const [ledger, atlas] = screen.getAllByRole('group');
  expect(within(ledger!).getAllByRole('option')[0]).toBe(focused());
  await press('j'.repeat(12));
  expect(within(atlas!).getAllByRole('option')[0]).toBe(focused());
  expect(focused()?.getAttribute('aria-posinset')).toBe('13');
  expect(focused()?.getAttribute('aria-setsize')).toBe('59');
  await press('{End}');
  expect(focused()?.getAttribute('aria-posinset')).toBe('59');
});

test('a group is selected whole, by its box and by its key', async () => {
  const { platform } = await open();
  await groupBy('repository');
  const user = userEvent.setup();
  await user.click(screen.getAllByRole('group')[1]!.querySelector('[data-part=group]')!);
  expect(screen.getByText('12 selected')).toBeDefined();
  await press('{Shift>}x{/Shift}');
  expect(screen.getByText('24 selected')).toBeDefined();
  await press('{Shift>}x{/Shift}');
  expect(screen.getByText('12 selected')).toBeDefined();
  await press('e');
  await waitFor(() => expect(groups()).not.toContain('atlas-api, 12 items'));
  const call = platform.calls.find((each) => each.name === 'inbox_operate')!;
  expect((call.args as { target: { ids: string[] } }).target.ids).toHaveLength(12);
});

test('a row that is done leaves its group, and an empty group goes', async () => {
  await open();
  await groupBy('thread');
  const first = groups()[0]!;
  await press('e');
  await waitFor(() => expect(groups()).not.toContain(first));
  expect(focused()?.getAttribute('aria-label')).toContain('7 commits behind');
});

test('each view has its own grouping, which is remembered', async () => {
  const { router } = await open();
  await groupBy('day');
  await router.navigate({ to: '/inbox', search: { view: 'all' } });
  await waitFor(() => expect(screen.queryByRole('group')).toBeNull());
  await screen.findByRole('button', { name: 'Group: none' });
  await router.navigate({ to: '/inbox', search: { view: 'inbox' } });
  await screen.findByRole('button', { name: 'Group: day' });
  expect(JSON.parse(localStorage.getItem('devrig.grouping')!)).toEqual({ inbox: 'day' });
});

test('the palette groups too', async () => {
  await open();
  await press('{Control>}k{/Control}');
  await screen.findByRole('dialog', { name: 'Command palette' });
  await press('group by source{Enter}');
  await waitFor(() => expect(groups()).toContain('Local git, 57 items'));
});

test('of a long view the newest are grouped, and the end says so', async () => {
  const { platform } = await open('million');
  await groupBy('day');
  await screen.findByText('Grouped: the newest 2,000 of 1,000,000');
  expect(screen.getAllByRole('option').length).toBeLessThan(60);
  await press('{End}');
  expect(focused()?.getAttribute('aria-label')).toContain('Item 2000.');
  expect(platform.calls.filter((call) => call.name === 'inbox_list').length).toBeLessThan(8);
});

test('from the middle of a long view the groups begin at its beginning', async () => {
  await open('million');
  await press('{End}');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 1000000.'));
  await groupBy('day');
  await screen.findByText('Grouped: the newest 2,000 of 1,000,000');
  await press('{Home}');
  expect(focused()?.getAttribute('aria-label')).toContain('Item 1.');
});
