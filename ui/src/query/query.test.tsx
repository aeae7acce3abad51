import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { renderApp } from '../test-app';

const press = async (keys: string) => userEvent.setup().keyboard(keys);
const list = () => screen.queryByRole('listbox', { name: 'Suggestions' });
const offered = () => within(screen.getByRole('listbox', { name: 'Suggestions' })).getAllByRole('option').map((option) => option.textContent);
const highlighted = (field: HTMLElement) => document.getElementById(field.getAttribute('aria-activedescendant') ?? '')?.textContent ?? null;

async function filterField() {
  const app = await renderApp('/inbox');
  await waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(5));
  await press('/');
  return { ...app, field: screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter' }) };
}

test('a filter is completed with arrows, Tab and Enter, and nothing is chosen before an arrow', async () => {
  const { field, router } = await filterField();
  expect(field.getAttribute('aria-expanded')).toBe('false');
  await press('-re');
  expect(field.getAttribute('aria-expanded')).toBe('true');
  expect(field.getAttribute('aria-controls')).toBe(list()!.id);
  expect(offered()[0]).toBe('repo:the repository or folder');
  expect(highlighted(field)).toBeNull();
  await press('{ArrowDown}');
  expect(highlighted(field)).toContain('repo:');
  await press('{Tab}');
  expect(field.value).toBe('-repo:');
  expect(document.activeElement).toBe(field);
  expect(offered()).toContain('repo:courier');
  await press('le{ArrowDown}{Enter}');
  expect(field.value).toBe('-repo:ledger');
  expect(list()).toBeNull();
  await press('{Enter}');
  await waitFor(() => expect(router.state.location.search).toMatchObject({ q: '-repo:ledger' }));
});

test('Enter without a highlighted choice submits what is typed', async () => {
  const { field, router } = await filterField();
  await press('is:unr');
  expect(offered()).toEqual(['is:unreadnot opened yet']);
  await press('{Enter}');
  expect(field.value).toBe('is:unr');
  await waitFor(() => expect(router.state.location.search).toMatchObject({ q: 'is:unr' }));
});

test('Esc closes the list first, and only then clears and leaves the field', async () => {
  const { field } = await filterField();
  await press('is:');
  expect(list()).not.toBeNull();
  await press('{Escape}');
  expect(list()).toBeNull();
  expect(field.value).toBe('is:');
  expect(document.activeElement).toBe(field);
  await press('{ArrowDown}');
  expect(list()).not.toBeNull();
  await press('{Escape}{Escape}');
  expect(field.value).toBe('');
  expect(document.activeElement).not.toBe(field);
});

test('a choice can be clicked, the last one is one arrow up, and leaving the field closes the list', async () => {
  const user = userEvent.setup();
  const { field } = await filterField();
  await press('is:s{ArrowUp}');
  expect(highlighted(field)).toContain('is:starred');
  await user.click(within(list()!).getByRole('option', { name: /is:snoozed/ }));
  expect(field.value).toBe('is:snoozed');
  expect(document.activeElement).toBe(field);
  await press(' h');
  expect(list()).not.toBeNull();
  await user.click(screen.getByRole('button', { name: /Sync now/ }));
  await waitFor(() => expect(list()).toBeNull());
});

test('words that are only searched for are left alone', async () => {
  await filterField();
  await press('stash');
  expect(list()).toBeNull();
  await press(' ');
  expect(list()).toBeNull();
});

test('the query of a rule completes the same, and Esc leaves its form open', async () => {
  const user = userEvent.setup();
  const { platform } = await renderApp('/rules');
  await user.click(await screen.findByRole('button', { name: 'New rule' }));
  const form = within(await screen.findByRole('dialog'));
  const field = form.getByRole<HTMLInputElement>('combobox', { name: 'When an item matches' });
  await user.type(field, 'is:unr');
  await user.keyboard('{Escape}');
  expect(list()).toBeNull();
  expect(screen.queryByRole('dialog')).not.toBeNull();
  await user.keyboard('{ArrowDown}{ArrowDown}{Enter}');
  expect(field.value).toBe('is:unread');
  expect(platform.calls.some((call) => call.name === 'rule_save')).toBe(false);
  await user.type(field, ' colour:red');
  expect((await form.findByRole('alert')).textContent).toContain('colour:red is not known');
  expect(field.getAttribute('aria-invalid')).toBe('true');
  await user.keyboard('{Escape}');
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('the query of a split completes in its line, and names are left alone', async () => {
  const user = userEvent.setup();
  Object.defineProperty(window, 'innerWidth', { configurable: true, value: 1440 });
  await renderApp('/inbox');
  await user.click(await screen.findByRole('button', { name: 'Edit splits' }));
  const box = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Splits' });
  await user.type(box, 'is');
  expect(list()).toBeNull();
  await user.type(box, ' mine = repo:at');
  expect(offered()).toEqual(['repo:atlas-api', 'repo:atlas-web']);
  expect(box.getAttribute('aria-controls')).toBe(list()!.id);
  await user.keyboard('{ArrowDown}{Enter}');
  expect(box.value.split('\n')).toContain('is mine = repo:atlas-api');
  await user.keyboard('{Enter}');
  expect(box.value.endsWith('atlas-api\n')).toBe(true);
  await user.keyboard('Bugs = is:{Escape}');
  expect(list()).toBeNull();
  expect(screen.queryByRole('dialog')).not.toBeNull();
});
