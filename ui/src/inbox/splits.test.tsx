import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';
import { splitsFromText, splitsToText, splitViews } from './splits';

test('splits survive their text, and mean the inbox unless they say another place', () => {
  const splits = [{ name: 'Bugs', query: 'label:bug', notify: true, badge: false }, { name: 'Old', query: 'is:any older:1y', notify: false, badge: false }];
  expect(splitsFromText(`# mine\n\n${splitsToText(splits)}`)).toEqual(splits);
  const queries = splitViews([...splits, { name: 'Two', query: 'a or b', notify: true, badge: true }].map((split) => ({ ...split, count: 1 }))).map((view) => view.query);
  expect(queries).toEqual(['is:inbox label:bug', 'is:any older:1y', 'is:inbox (a or b)']);
});

test('a split is a view, and the filter in use becomes one', async () => {
  const user = userEvent.setup();
  // Wide enough for the sidebar.
  Object.defineProperty(window, 'innerWidth', { configurable: true, value: 1440 });
  const { platform } = await renderApp('/inbox?q=type:build');
  const views = within(await screen.findByRole('navigation', { name: 'Views' }));
  await user.click(await views.findByRole('button', { name: /Needs me/ }));
  expect(platform.calls.some((call) => call.name === 'inbox_list' && (call.args as { query: string }).query.includes('is:actionable'))).toBe(true);
  await user.click(views.getByRole('button', { name: 'Edit splits' }));
  const box = await screen.findByRole('textbox', { name: 'Splits' });
  await user.clear(box);
  await user.type(box, 'Builds [[badge] = type:build');
  await user.click(screen.getByRole('button', { name: 'Save splits' }));
  await views.findByRole('button', { name: /Builds/ });
  expect(platform.calls.find((call) => call.name === 'split_set')?.args).toEqual({ splits: [{ name: 'Builds', query: 'type:build', notify: false, badge: true }] });
});
