import type { QueryClient } from '@tanstack/react-query';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { itemsQuery } from '../api/queries';
import { HELD } from '../api/slice';
import { renderApp } from '../test-app';
import { evenLayout } from './rowLayout';
import { HIGHEST } from './scale';

// By far faster than by role, and asked for very often here.
const options = () => [...document.querySelectorAll<HTMLElement>('[role=option]')];
const list = () => document.querySelector<HTMLElement>('[role=listbox]')!;
const scroller = () => list().parentElement!;
const focused = () => document.getElementById(list().getAttribute('aria-activedescendant') ?? '');
const title = () => screen.getByRole('article').getAttribute('aria-label');
const press = async (keys: string) => userEvent.setup().keyboard(keys);
const held = (client: QueryClient) => client.getQueryData(itemsQuery('is:inbox').queryKey)!;

const open = async () => {
  const app = await renderApp('/inbox', 'million');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 1.'));
  await screen.findByText('1,000,000');
  return app;
};
const scrollTo = (top: number) => {
  scroller().scrollTop = top;
  fireEvent.scroll(scroller());
};

test('End goes to the last of a million rows, k up from there, Home to the first', async () => {
  const { platform, client } = await open();
  expect(list().style.height).toBe(`${HIGHEST}px`);
  await press('{End}');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 1000000.'));
  expect(focused()?.getAttribute('aria-posinset')).toBe('1000000');
  expect(focused()?.getAttribute('aria-setsize')).toBe('1000000');
  expect(options().at(-1)).toBe(focused());
  // It lies at the lower edge of what is on screen.
  const bottom = Number(/translateY\((\d+)px\)/.exec(focused()!.style.transform)![1]) + 36;
  expect(bottom).toBe(HIGHEST);
  expect(scroller().scrollTop).toBe(HIGHEST - 800);

  await press('kk');
  expect(focused()?.getAttribute('aria-label')).toContain('Item 999998.');
  expect(focused()?.getAttribute('aria-posinset')).toBe('999998');
  await press('{Home}');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 1.'));
  expect(scroller().scrollTop).toBe(0);
  expect(options().length).toBeLessThan(60);
  expect(held(client).rows.length).toBeLessThan(500);
  expect(platform.calls.filter((call) => call.name === 'inbox_list').length).toBeLessThan(8);
});

test('a row that is done at the end closes the gap', async () => {
  await open();
  await press('{End}');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 1000000.'));
  await press('ke');
  await waitFor(() => expect(options().some((row) => row.getAttribute('aria-label')?.includes('Item 999999.'))).toBe(false));
  expect(focused()?.getAttribute('aria-label')).toContain('Item 1000000.');
  await screen.findByText('999,999');
  expect(focused()?.getAttribute('aria-posinset')).toBe('999999');
  expect(focused()?.getAttribute('aria-setsize')).toBe('999999');
});

test('a dragged scrollbar shows the rows it stands for, and the focus stays on its item', async () => {
  await open();
  scrollTo((HIGHEST - 800) / 2);
  await waitFor(() => expect(Number(options()[15]!.getAttribute('aria-posinset'))).toBeGreaterThan(400_000));
  const middle = options()[15]!;
  expect(Number(middle.getAttribute('aria-posinset'))).toBeLessThan(600_000);
  expect(middle.getAttribute('aria-label')).toContain(`Item ${middle.getAttribute('aria-posinset')}.`);
  expect(title()).toBe('Item 1');
  await press('j');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 2.'));
  expect(scroller().scrollTop).toBeLessThan(800);
});

test('a wheel that goes on and on leaves rows behind, and comes back to them', async () => {
  const { client } = await open();
  const turn = async (by: number) => {
    scrollTo(scroller().scrollTop + by);
    await waitFor(() => expect(options().length).toBeGreaterThan(30), { interval: 5 });
  };
  for (let n = 0; n < 77; n += 1) await turn(1500);
  const below = held(client);
  expect(below.rows.length).toBeLessThanOrEqual(HELD);
  expect(below.start).toBeGreaterThan(100);
  expect(title()).toBe('Item 1');
  const row = options()[10]!;
  expect(row.getAttribute('aria-label')).toContain(`Item ${row.getAttribute('aria-posinset')}.`);
  await press('j');
  await waitFor(() => expect(focused()?.getAttribute('aria-label')).toContain('Item 2.'));
  expect(held(client).start).toBe(0);
}, 60_000);

test('thousands of events far above move nothing and read nothing', async () => {
  const { platform } = await open();
  scrollTo((HIGHEST - 800) / 2);
  await waitFor(() => expect(Number(options()[15]!.getAttribute('aria-posinset'))).toBeGreaterThan(400_000));
  await new Promise((later) => setTimeout(later, 300));
  const before = { rows: options().map((row) => row.id), top: scroller().scrollTop, calls: platform.calls.filter((call) => call.name === 'inbox_list').length };
  const { items } = await platform.call('inbox_list', { query: 'is:inbox', limit: 1 });
  for (let n = 0; n < 3000; n += 1) platform.emit({ type: 'itemsChanged', items: [{ ...items[0]!, id: `new_${n}`, position: `row_${2_000_000 + n}` }], removed: [] });
  await screen.findByRole('button', { name: '3000 new above' });
  await new Promise((later) => setTimeout(later, 800));
  expect(options().map((row) => row.id)).toEqual(before.rows);
  expect(scroller().scrollTop).toBe(before.top);
  expect(platform.calls.filter((call) => call.name === 'inbox_list').length).toBe(before.calls + 1);
});

test('where the number of rows is not known, End goes to the last one too, and the rows above follow', async () => {
  const { client } = await renderApp('/inbox', 'many');
  await screen.findByText('10,000+');
  await waitFor(() => expect(focused()).not.toBeNull());
  await press('{End}');
  await waitFor(() => expect(held(client).after).toBeNull());
  await waitFor(() => expect(focused()?.id).toBe(`row-${held(client).rows.at(-1)!.id}`));
  // A place among a number that is not known would be a guess.
  expect(focused()?.getAttribute('aria-posinset')).toBeNull();
  expect(focused()?.getAttribute('aria-setsize')).toBeNull();

  scrollTo(0);
  const before = options()[5]!.id;
  await waitFor(() => expect(held(client).rows.length).toBeGreaterThan(150));
  // The rows that came above have moved the list by as much as they are high.
  await waitFor(() => expect(scroller().scrollTop).toBe((held(client).rows.length - 100) * 36));
  expect(document.getElementById(before)).not.toBeNull();
  expect(screen.queryByText(/new above/)).toBeNull();
  await press('{Home}');
  await waitFor(() => expect(held(client).start).toBe(0));
  expect(scroller().scrollTop).toBe(0);
});

test('rows lie one below the other, counted from the first that is held', () => {
  const layout = evenLayout(100, 1000, 36);
  expect(layout.extent).toBe(36_000);
  expect(layout.topOf(2)).toBe(102 * 36);
  expect(layout.rowAt(102 * 36 + 35)).toBe(2);
  expect(layout.rowAt(0)).toBe(-100);
});
