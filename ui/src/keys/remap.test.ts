import { describe, expect, test } from 'vitest';

import { DEFAULT_KEYS, KEYMAP, type CommandId, type KeysOf } from './defaults';
import { makeMatcher } from './keymap';
import { changesOf, clashWords, conflictsOf, isFixed, keysProblem, pressProblem, readKeyMap, swapped, withKey, withReset } from './remap';

const set = (changes: Partial<Record<CommandId, string[]>>): KeysOf => ({ ...DEFAULT_KEYS, ...changes });
/** Whether every key means one thing: what readKeyMap and the changes promise. */
const sound = (keys: KeysOf) => KEYMAP.every((command) => keys[command.id].every((key) => conflictsOf(keys, command.id, key).length === 0));

describe('a key that can be chosen', () => {
  test.each(['j', 'Shift+j', 'é', '?', '+', 'Mod++', 'Mod+j', 'Mod+Shift+j', 'Enter', 'Space', 'Shift+F5', 'ArrowLeft', '1'])('%s', (press) => {
    expect(pressProblem(press)).toBeNull();
  });

  test.each(['Mod+k', 'Escape', 'Tab', 'Shift+Tab', 'F6', 'Shift+F6', 'Mod+F6', 'Shift+Escape', 'Mod+c', 'Mod+z'])('%s is not one: it keeps its meaning', (press) => {
    expect(pressProblem(press)).toContain('always keeps its own meaning');
  });

  test.each(['', 'J', 'jj', 'Ctrl+j', 'Shift+Mod+j', 'Alt+j', 'Shift+?', ' ', '\n', 'Enterr', '__proto__'])('%o is none at all', (press) => {
    expect(pressProblem(press)).toContain('is no key');
  });

  test('a chord is two of them', () => {
    expect(keysProblem('g x')).toBeNull();
    expect(keysProblem('g x y')).toContain('more than two');
    expect(keysProblem('g Escape')).toContain('keeps its own meaning');
    expect(keysProblem('g  x')).not.toBeNull();
  });
});

describe('the stored keys', () => {
  test.each([[null], [undefined], [{}]])('%o is the default', (stored) => {
    expect(readKeyMap(stored)).toEqual({ keys: DEFAULT_KEYS, problems: [] });
  });

  test.each([['done'], [7], [true], [['done']]])('%o is told, and the default stands', (stored) => {
    const { keys, problems } = readKeyMap(stored);
    expect(keys).toEqual(DEFAULT_KEYS);
    expect(problems).toHaveLength(1);
  });

  test('what is good is used beside what is not', () => {
    const { keys, problems } = readKeyMap({ done: ['d'], fly: ['f'], star: 's', mute: [], undo: ['zz'], read: [1], palette: ['p'], snooze: ['n', 'n'] });
    expect(keys).toEqual(set({ done: ['d'] }));
    expect(problems).toHaveLength(7);
    expect(problems.join(' ')).toContain('There is no command “fly”');
    expect(problems.join(' ')).toContain('“zz” is no key');
  });

  test('a name that every object has is no command', () => {
    expect(readKeyMap(JSON.parse('{"__proto__": ["p"], "constructor": ["c"]}'))).toMatchObject({ keys: DEFAULT_KEYS, problems: [expect.any(String), expect.any(String)] });
  });

  test('a key that another command has is told by name, and the default stands', () => {
    const { keys, problems } = readKeyMap({ done: ['s'] });
    expect(keys).toEqual(DEFAULT_KEYS);
    expect(problems).toEqual(['Done: s is the key of “Star”.']);
  });

  test('a swap is no conflict', () => {
    expect(readKeyMap({ done: ['s'], star: ['e'] })).toEqual({ keys: set({ done: ['s'], star: ['e'] }), problems: [] });
  });

  test.each([
    [{ done: ['q'], star: ['q'], mute: ['q'] }],
    [{ done: ['g'], star: ['e'] }],
    [{ done: ['s x'], star: ['e'] }],
    [{ done: ['s x'] }],
    [{ next: ['k'], previous: ['h'], snooze: ['m'], mute: ['j'] }],
    [{ next: ['k'], previous: ['h'], snooze: ['m'] }],
  ])('%o leaves no key with two meanings', (stored) => {
    const { keys, problems } = readKeyMap(stored);
    expect(sound(keys)).toBe(true);
    expect(problems.length === 0).toBe(Object.entries(stored).every(([id, own]) => keys[id as CommandId].join() === own.join()));
  });

  test('whatever is stored, the way back stays', () => {
    const everything = Object.fromEntries(KEYMAP.map((command) => [command.id, ['q']]));
    const { keys } = readKeyMap(everything);
    const match = makeMatcher(keys);
    expect(match('Mod+k', 0)).toBe('palette');
    expect(match('Escape', 0)).toBe('back');
    expect(match('F6', 0)).toBe('nextRegion');
    expect(match('Tab', 0)).toBeNull();
  });
});

describe('a conflict', () => {
  test.each<[string, string]>([
    ['s', 'is the key of “Star”'],
    ['*', 'begins * then a, the keys of “Select all in this view”'],
    ['s x', 'begins with s, the key of “Star”'],
  ])('%s %s', (wanted, words) => {
    expect(conflictsOf(DEFAULT_KEYS, 'done', wanted).map(clashWords)).toEqual([words]);
  });

  test('g stands in the way of every chord that it begins', () => {
    expect(conflictsOf(DEFAULT_KEYS, 'done', 'g').map((conflict) => conflict.with)).toEqual(['goInbox', 'goOutbox', 'goPlugins', 'goHistory', 'goRules', 'goSettings']);
    expect(swapped(DEFAULT_KEYS, 'done', 'g')).toBeNull();
  });

  test("a command's own keys are none", () => {
    expect(conflictsOf(DEFAULT_KEYS, 'next', 'ArrowDown')).toEqual([]);
    expect(withKey(DEFAULT_KEYS, 'next', 'ArrowDown').next).toEqual(['ArrowDown']);
    expect(withKey(DEFAULT_KEYS, 'next', 'ArrowDown x').next).toEqual(['ArrowDown x']);
  });
});

test('a new key takes the place of the first, and the others stay', () => {
  expect(withKey(DEFAULT_KEYS, 'next', 'n').next).toEqual(['n', 'ArrowDown']);
  expect(changesOf(withKey(DEFAULT_KEYS, 'next', 'n'))).toEqual({ next: ['n', 'ArrowDown'] });
});

test('a swap leaves no key with two meanings', () => {
  const all = KEYMAP.flatMap((command) => command.keys as readonly string[]);
  for (const { id } of KEYMAP.filter((command) => !isFixed(command.id))) {
    for (const wanted of [...all, 'g', '*', 's x', 'e e']) {
      const next = swapped(DEFAULT_KEYS, id, wanted);
      if (next) expect([id, wanted, sound(next), next[id][0]]).toEqual([id, wanted, true, wanted]);
    }
  }
  expect(changesOf(swapped(DEFAULT_KEYS, 'done', 's')!)).toEqual({ done: ['s'], star: ['e'] });
});

test('a reset gives back the key, and whoever took it gets its own back', () => {
  const round = set({ done: ['s'], star: ['m'], mute: ['e'], read: ['q'] });
  const { keys, also } = withReset(round, 'done');
  expect(keys).toEqual(set({ read: ['q'] }));
  expect(also.sort()).toEqual(['mute', 'star']);
  expect(withReset(set({ read: ['q'] }), 'read')).toEqual({ keys: DEFAULT_KEYS, also: [] });
});

test('the matcher follows the keys that it is given, chords too', () => {
  const match = makeMatcher(set({ done: ['g x'], star: ['e'] }));
  expect(match('e', 0)).toBe('star');
  expect(match('g', 10)).toBe('pending');
  expect(match('x', 20)).toBe('done');
  expect(match('s', 30)).toBeNull();
});
