import { currentKeys, singleKeysAct } from './current';
import { DEFAULT_KEYS, KEYMAP, type CommandId, type KeysOf } from './defaults';

export { KEYMAP, type CommandId, type Group, type KeysOf } from './defaults';

/** What is worth knowing about a key press. */
export type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** `j`, `Shift+j`, `Mod+k`, `?`; null for a bare modifier and for combinations that belong to the system. */
export function pressed(press: Press): string | null {
  if (press.altKey || ['Shift', 'Control', 'Alt', 'Meta', 'Dead'].includes(press.key)) return null;
  const letter = /^\p{L}$/u.test(press.key);
  const key = letter ? press.key.toLowerCase() : press.key === ' ' ? 'Space' : press.key;
  // For `?` or `*` the shift key is how the sign is made, not a part of it.
  const shift = press.shiftKey && (letter || key.length > 1);
  return `${press.ctrlKey || press.metaKey ? 'Mod+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

/** How long the second key of a chord may take. */
const CHORD_MS = 1500;

export type Match = CommandId | 'pending' | null;

/** Turns presses into commands, remembering the first half of a chord such as `g i`. */
export function makeMatcher(keysOf: KeysOf = DEFAULT_KEYS): (key: string, at: number) => Match {
  const commands = new Map<string, CommandId>();
  const starts = new Set<string>();
  for (const command of KEYMAP) {
    for (const keys of keysOf[command.id]) {
      commands.set(keys, command.id);
      const space = keys.indexOf(' ');
      if (space > 0) starts.add(keys.slice(0, space));
    }
  }
  let first: { key: string; at: number } | null = null;
  return (key, at) => {
    const chord = first && at - first.at <= CHORD_MS ? commands.get(`${first.key} ${key}`) : undefined;
    const inChord = first !== null && at - first.at <= CHORD_MS;
    first = null;
    if (chord) return chord;
    // A wrong second key ends the chord and does nothing: `g e` must not mark an item done.
    if (inChord) return null;
    if (starts.has(key)) {
      first = { key, at };
      return 'pending';
    }
    return commands.get(key) ?? null;
  };
}

/** The modifiers of one press and the key under them: `Shift+z` is `['Shift']` and `z`, `Mod++` is `['Mod']` and `+`. */
export function partsOf(press: string): { modifiers: string[]; key: string } {
  const modifiers: string[] = [];
  let key = press;
  for (const modifier of ['Mod', 'Shift']) {
    if (key.startsWith(`${modifier}+`) && key.length > modifier.length + 1) {
      modifiers.push(modifier);
      key = key.slice(modifier.length + 1);
    }
  }
  return { modifiers, key };
}

/** True for keys that write a character: the ones that a person can turn off. */
export function isSingleKey(press: string): boolean {
  const { modifiers, key } = partsOf(press);
  return !modifiers.includes('Mod') && (key === 'Space' || [...key].length === 1);
}

/** The key of a command as people read it: `⇧ z`, `g then i`, `Ctrl k`; undefined where none of its keys acts. */
export function keyLabel(id: CommandId): string | undefined {
  const acts = currentKeys()[id].find((keys) => singleKeysAct() || !isSingleKey(keys.split(' ')[0]!));
  return acts === undefined ? undefined : readable(acts);
}

/** The end of an announcement, such as ` Z to undo.`; nothing where the command has no key. */
export function keyHint(id: CommandId, what: string): string {
  const label = keyLabel(id);
  return label === undefined ? '' : ` ${label.charAt(0).toUpperCase()}${label.slice(1)} to ${what}.`;
}

const MAC = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform);
const NAMES: Record<string, string> = {
  ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', PageDown: 'PgDn', PageUp: 'PgUp', Delete: 'Del', Mod: MAC ? '⌘' : 'Ctrl', Shift: '⇧',
};

export function readable(keys: string): string {
  return keys
    .split(' ')
    .map((press) => {
      const { modifiers, key } = partsOf(press);
      return [...modifiers, key].map((part) => NAMES[part] ?? part).join(' ');
    })
    .join(' then ');
}
