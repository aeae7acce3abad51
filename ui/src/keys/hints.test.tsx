import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test } from 'vitest';

import { toastDone } from '../components/toast';
import { renderApp } from '../test-app';
import { setKeys, setSingleKeys } from './current';
import { DEFAULT_KEYS } from './defaults';
import { keyHint, keyLabel } from './keymap';

const press = async (keys: string) => userEvent.setup().keyboard(keys);
const focused = () => document.getElementById(screen.getByRole('listbox', { name: 'Items' }).getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-label');

afterEach(() => {
  setKeys(DEFAULT_KEYS);
  setSingleKeys(true);
});

/** The app as somebody with these settings sees it. */
async function renderWith(settings: Record<string, unknown>, path = '/inbox', scenario = '') {
  const app = await renderApp(path, scenario);
  for (const [key, value] of Object.entries(settings)) await app.platform.call('settings_set', { key, value });
  app.platform.emit({ type: 'stale', tags: ['settings'] });
  return app;
}

describe('the key in a text', () => {
  test('is the one that the command has now', () => {
    setKeys({ ...DEFAULT_KEYS, undo: ['Mod+u'], redo: ['g z'] });
    expect(keyHint('undo', 'undo')).toMatch(/^ (Ctrl|⌘) u to undo\.$/);
    expect(keyHint('redo', 'redo')).toBe(' G then z to redo.');
    expect(keyHint('done', 'finish it')).toBe(' E to finish it.');
  });

  test('is left out where the command has none that acts', () => {
    setKeys({ ...DEFAULT_KEYS, undo: [], star: ['F2'] });
    expect([keyLabel('undo'), keyHint('undo', 'undo')]).toEqual([undefined, '']);
    setSingleKeys(false);
    expect([keyLabel('done'), keyHint('done', 'finish it'), keyLabel('goInbox')]).toEqual([undefined, '', undefined]);
    expect([keyLabel('next'), keyLabel('star')]).toEqual(['↓', 'F2']);
  });
});

test('the filter, the status bar, the toast and what is announced name the own keys', async () => {
  await renderWith({ 'keys.map': { undo: ['w'], filter: ['f'] } });
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await waitFor(() => expect(screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter' }).placeholder).toBe('Filter  f'));
  expect(within(screen.getByRole('contentinfo', { name: 'Status' })).getByText('undo').textContent).toBe('wundo');
  await press('e');
  await screen.findByText(/Done\. 58 left\. W to undo\./);
  await screen.findByRole('button', { name: 'Undo w' });
  await press('w');
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
});

test('with letters turned off no text names one', async () => {
  await renderWith({ 'keys.single': false });
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await waitFor(() => expect(screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter' }).placeholder).toBe('Filter'));
  expect(within(screen.getByRole('contentinfo', { name: 'Status' })).queryByText('undo')).toBeNull();
  await userEvent.setup().click(screen.getByRole('button', { name: 'Done' }));
  await screen.findByText(/Done\. 58 left\.$/);
  toastDone('Again', true);
  await screen.findByRole('button', { name: 'Undo' });
});

test('the selection bar shows the own keys', async () => {
  await renderWith({ 'keys.map': { done: ['d'], select: ['Space'] } });
  await waitFor(() => expect(focused()).toContain('Rebase stopped'));
  await waitFor(() => expect(screen.getAllByRole('button', { name: 'Done' })[0]!.getAttribute('aria-keyshortcuts')).toBe('d'));
  await press(' ');
  await screen.findByText('1 selected');
  expect(screen.getByRole('button', { name: 'Done d' })).toBeDefined();
});

test('an action of the outbox shows its own key', async () => {
  await renderWith({ 'keys.map': { sendAgain: ['y'] } }, '/outbox', 'outbox');
  const again = await screen.findByRole('button', { name: 'Try again: Restart' });
  await waitFor(() => expect(again.textContent).toBe('Try again y'));
  await press('y');
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Try again: Restart' })).toBeNull());
});

test('the lesson of the first run teaches the own keys, and ticks them', async () => {
  const user = userEvent.setup();
  await renderWith({ 'keys.map': { next: ['n'], done: ['g d'] } }, '/inbox', 'first-run');
  await user.click(await screen.findByRole('button', { name: 'Choose…' }));
  await user.click(screen.getByRole('button', { name: 'Continue' }));
  await user.click(await screen.findByRole('button', { name: 'Grant and look for items' }));
  const lesson = within(await screen.findByRole('region', { name: 'Learn five keys' }));
  expect(lesson.getByText('next').textContent).toBe('nnext');
  expect(lesson.getByText('done').textContent).toBe('g then ddone');
  await waitFor(() => expect(focused()).toBeDefined());
  await press('j');
  expect(lesson.queryAllByRole('img', { name: 'used' })).toHaveLength(0);
  await press('ngd');
  expect(lesson.getAllByRole('img', { name: 'used' })).toHaveLength(2);
});
