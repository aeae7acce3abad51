import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';

import { renderApp } from '../test-app';
import { asSearch, found, recentIds, rememberPicked, type PaletteRow } from './paletteRows';

const row = (id: string, section: PaletteRow['section'], label: string): PaletteRow => ({ id, section, label, run: () => {} });
const ROWS = [row('done', 'This item', 'Done'), row('star', 'This item', 'Star'), row('view:done', 'Go to', 'Done'), row('goInbox', 'Go to', 'Inbox'), row('dark', 'Settings', 'Theme: dark')];
const ids = (text: string, recent: string[] = []) => found(ROWS, text, recent).map((each) => [each.section, ...each.rows.map(({ id }) => id)]);

test.each([
  ['is:unread', 'is:unread'],
  ['  flaky repo:ledger ', 'flaky repo:ledger'],
  ['-label:bot', '-label:bot'],
  ['(is:unread or is:starred)', '(is:unread or is:starred)'],
  ['Is:unread', 'Is:unread'],
  ['theme: dark', null],
  ['this:that', null],
  ['done', null],
  ['', null],
])('%o searches for %o', (text, query) => {
  expect(asSearch(text)).toBe(query);
});

describe('what is found', () => {
  test('is everything under its section at first, the recent ones before', () => {
    expect(ids('')).toEqual([['This item', 'done', 'star'], ['Go to', 'view:done', 'goInbox'], ['Settings', 'dark']]);
    expect(ids('', ['dark', 'gone', 'star'])).toEqual([['Recent', 'dark', 'star'], ['This item', 'done'], ['Go to', 'view:done', 'goInbox']]);
  });

  test('is what matches, the best first, and what was picked lately before its like', () => {
    expect(ids('dark')).toEqual([['Settings', 'dark']]);
    expect(ids('done')[0]).toEqual(['This item', 'done']);
    expect(ids('done', ['view:done'])[0]).toEqual(['Go to', 'view:done']);
    expect(ids('zzz')).toEqual([]);
  });

  test('begins with the search', () => {
    expect(found([...ROWS, row('search', 'Search', 'Search: is:done')], 'is:done', [])[0]!.section).toBe('Search');
  });
});

test('the last five are remembered, and a broken memory is none', () => {
  localStorage.clear();
  for (const id of ['a', 'b', 'c', 'd', 'e', 'a', 'f']) rememberPicked(id);
  expect(recentIds()).toEqual(['f', 'a', 'e', 'd', 'c']);
  for (const broken of ['{', '7', 'null', '[1, {}]']) {
    localStorage.setItem('devrig.palette', broken);
    expect(recentIds()).toEqual([]);
  }
});

describe('on screen', () => {
  const press = async (keys: string) => userEvent.setup().keyboard(keys);
  const open = async () => {
    await press('{Control>}k{/Control}');
    return within(await screen.findByRole('dialog', { name: 'Command palette' }));
  };
  const ready = () => waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(5));
  /** The section's rows, each as it is read. */
  const section = (palette: Awaited<ReturnType<typeof open>>, name: string) => within(palette.getByRole('group', { name })).getAllByRole('option').map((each) => each.textContent);

  test('the sections hold what can be done here, each with its key', async () => {
    await renderApp('/inbox');
    await ready();
    await screen.findByRole('button', { name: 'Open folder' });
    const palette = await open();
    expect(section(palette, 'This item')).toEqual(expect.arrayContaining(['Donee', 'Snooze…h', 'Stars', 'Read or unreadu', 'Mute threadm', 'Undoz', 'Redo⇧ z', 'Open folderplugin']));
    expect(section(palette, 'Go to')).toEqual(expect.arrayContaining(['Inboxg then i', 'Pluginsg then p', 'Historyg then h', 'Settingsg then s', 'Filter/', 'Unreadview', 'Allview', 'Local gitsource', 'Build watchsource']));
    expect(section(palette, 'Settings')).toEqual(expect.arrayContaining(['Theme: dark', 'Theme: as the systemnow', 'List: comfortable, two lines', 'Text size: 110 %']));
  });

  test('a query is searched for in the inbox', async () => {
    const { router } = await renderApp('/plugins');
    await screen.findByRole('heading', { name: 'Plugins' });
    const palette = await open();
    await press('is:unread repo:ledger');
    await waitFor(() => expect(palette.getAllByRole('option')[0]!.textContent).toContain('Search: is:unread repo:ledger'));
    await press('{Enter}');
    await waitFor(() => expect(router.state.location.pathname).toBe('/inbox'));
    expect(router.state.location.search).toMatchObject({ q: 'is:unread repo:ledger' });
    await waitFor(() => expect(screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter' }).value).toBe('is:unread repo:ledger'));
  });

  test('a setting is changed, and stands first the next time', async () => {
    const { platform } = await renderApp('/plugins');
    await screen.findByRole('heading', { name: 'Plugins' });
    await open();
    await press('dark');
    await press('{Enter}');
    await waitFor(() => expect(platform.calls.findLast((call) => call.name === 'settings_set')?.args).toEqual({ key: 'appearance.theme', value: 'dark' }));
    const again = await open();
    await waitFor(() => expect(section(again, 'Recent')).toEqual(['Theme: darknow']));
    expect(again.getAllByRole('option')[0]!.textContent).toContain('Theme: dark');
  });

  test('a view of the sidebar is gone to by name', async () => {
    const { router } = await renderApp('/settings');
    await screen.findByRole('heading', { name: 'Settings' });
    await open();
    await press('build watch');
    await press('{Enter}');
    await waitFor(() => expect(router.state.location.search).toMatchObject({ view: 'source:acc_builds' }));
  });

  test('what has no such name is told', async () => {
    await renderApp('/settings');
    await screen.findByRole('heading', { name: 'Settings' });
    const palette = await open();
    await press('qqqq');
    await palette.findByText('Nothing has that name.');
  });
});
