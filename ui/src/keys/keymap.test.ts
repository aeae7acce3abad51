import { describe, expect, test } from 'vitest';

import { isSingleKey, KEYMAP, keyLabel, makeMatcher, pressed, type Press } from './keymap';

const press = (key: string, more: Partial<Press> = {}): Press => ({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe('a press', () => {
  test.each([
    [press('j'), 'j'],
    [press('J', { shiftKey: true }), 'Shift+j'],
    [press('?', { shiftKey: true }), '?'],
    [press('*', { shiftKey: true }), '*'],
    [press('k', { ctrlKey: true }), 'Mod+k'],
    [press('k', { metaKey: true }), 'Mod+k'],
    [press('F6', { shiftKey: true }), 'Shift+F6'],
    [press('ArrowDown', { shiftKey: true }), 'Shift+ArrowDown'],
    [press('Shift', { shiftKey: true }), null],
    [press('e', { altKey: true }), null],
  ])('%o is named', (given, name) => {
    expect(pressed(given)).toBe(name);
  });
});

describe('the matcher', () => {
  test('finds a command by each of its keys', () => {
    const match = makeMatcher();
    for (const command of KEYMAP) {
      for (const keys of command.keys) {
        const [first, second] = keys.split(' ');
        if (second) expect(match(first!, 0)).toBe('pending');
        expect(match(second ?? first!, 10)).toBe(command.id);
      }
    }
  });

  test('forgets a chord that takes too long', () => {
    const match = makeMatcher();
    expect(match('g', 0)).toBe('pending');
    expect(match('s', 5000)).toBe('star');
  });

  test('a wrong second key does nothing, and the next one is itself again', () => {
    const match = makeMatcher();
    expect(match('g', 0)).toBe('pending');
    expect(match('e', 100)).toBeNull();
    expect(match('e', 200)).toBe('done');
  });

  test('leaves other keys to the system', () => {
    const match = makeMatcher();
    expect(match('Mod+c', 0)).toBeNull();
    expect(match('Tab', 0)).toBeNull();
  });
});

test('no two commands share a key', () => {
  const all = KEYMAP.flatMap((command) => command.keys as readonly string[]);
  expect(new Set(all).size).toBe(all.length);
});

test('no single key is the beginning of a chord', () => {
  const starts = new Set(KEYMAP.flatMap((command) => command.keys as readonly string[]).filter((keys) => keys.includes(' ')).map((keys) => keys.split(' ')[0]));
  for (const command of KEYMAP) for (const keys of command.keys) expect(starts.has(keys)).toBe(false);
});

test('only keys that write a character can be turned off', () => {
  expect(['j', 'Shift+z', '?', '*', '\\'].every(isSingleKey)).toBe(true);
  expect(['Enter', 'Escape', 'ArrowDown', 'F6', 'Mod+k', 'Shift+F6'].some(isSingleKey)).toBe(false);
});

test('keys are shown as people read them', () => {
  expect(keyLabel('goInbox')).toBe('g then i');
  expect(keyLabel('redo')).toBe('⇧ z');
});
