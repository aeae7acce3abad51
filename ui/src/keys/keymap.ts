/** Everything that a key can do. The handler, the tooltips, the palette and the key sheet read this list. */
export const KEYMAP = [
  { id: 'next', keys: ['j', 'ArrowDown'], label: 'Next item', group: 'Move' },
  { id: 'previous', keys: ['k', 'ArrowUp'], label: 'Previous item', group: 'Move' },
  { id: 'first', keys: ['Home'], label: 'First item', group: 'Move' },
  { id: 'last', keys: ['End'], label: 'Last loaded item', group: 'Move' },
  { id: 'pageDown', keys: ['PageDown'], label: 'One screen down', group: 'Move' },
  { id: 'pageUp', keys: ['PageUp'], label: 'One screen up', group: 'Move' },
  { id: 'open', keys: ['Enter'], label: 'Open and mark read', group: 'Move' },
  { id: 'back', keys: ['Escape'], label: 'Back, or clear', group: 'Move' },
  { id: 'nextView', keys: [']'], label: 'Next view', group: 'Move' },
  { id: 'previousView', keys: ['['], label: 'Previous view', group: 'Move' },

  { id: 'done', keys: ['e'], label: 'Done', group: 'This item' },
  { id: 'snooze', keys: ['h'], label: 'Snooze…', group: 'This item' },
  { id: 'star', keys: ['s'], label: 'Star', group: 'This item' },
  { id: 'read', keys: ['u'], label: 'Read or unread', group: 'This item' },
  { id: 'mute', keys: ['m'], label: 'Mute thread', group: 'This item' },
  { id: 'source', keys: ['o'], label: 'Open in browser', group: 'This item' },
  { id: 'actions', keys: ['.'], label: 'More actions…', group: 'This item' },
  { id: 'undo', keys: ['z'], label: 'Undo', group: 'This item' },
  { id: 'redo', keys: ['Shift+z'], label: 'Redo', group: 'This item' },

  { id: 'select', keys: ['x'], label: 'Select', group: 'Select' },
  { id: 'extendDown', keys: ['Shift+j', 'Shift+ArrowDown'], label: 'Extend selection down', group: 'Select' },
  { id: 'extendUp', keys: ['Shift+k', 'Shift+ArrowUp'], label: 'Extend selection up', group: 'Select' },
  { id: 'selectAll', keys: ['* a'], label: 'Select all in this view', group: 'Select' },

  { id: 'goInbox', keys: ['g i'], label: 'Inbox', group: 'Go to' },
  { id: 'goPlugins', keys: ['g p'], label: 'Plugins', group: 'Go to' },
  { id: 'goSettings', keys: ['g s'], label: 'Settings', group: 'Go to' },
  { id: 'filter', keys: ['/'], label: 'Filter', group: 'Go to' },

  { id: 'palette', keys: ['Mod+k'], label: 'Command palette', group: 'Window' },
  { id: 'keys', keys: ['?'], label: 'Keys', group: 'Window' },
  { id: 'sidebar', keys: ['\\'], label: 'Sidebar', group: 'Window' },
  { id: 'nextRegion', keys: ['F6'], label: 'Next region', group: 'Window' },
  { id: 'previousRegion', keys: ['Shift+F6'], label: 'Previous region', group: 'Window' },
] as const satisfies readonly { id: string; keys: readonly string[]; label: string; group: string }[];

export type CommandId = (typeof KEYMAP)[number]['id'];
export type Group = (typeof KEYMAP)[number]['group'];

/** What is worth knowing about a key press. */
export type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** `j`, `Shift+j`, `Mod+k`, `?`; null for a bare modifier and for combinations that belong to the system. */
export function pressed(press: Press): string | null {
  if (press.altKey || ['Shift', 'Control', 'Alt', 'Meta', 'Dead'].includes(press.key)) return null;
  const letter = /^\p{L}$/u.test(press.key);
  const key = letter ? press.key.toLowerCase() : press.key;
  // For `?` or `*` the shift key is how the sign is made, not a part of it.
  const shift = press.shiftKey && (letter || press.key.length > 1);
  return `${press.ctrlKey || press.metaKey ? 'Mod+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

/** How long the second key of a chord may take. */
const CHORD_MS = 1500;

export type Match = CommandId | 'pending' | null;

/** Turns presses into commands, remembering the first half of a chord such as `g i`. */
export function makeMatcher(): (key: string, at: number) => Match {
  const commands = new Map<string, CommandId>();
  const starts = new Set<string>();
  for (const command of KEYMAP) {
    for (const keys of command.keys) {
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

/** True for keys that write a character: the ones that a person can turn off. */
export function isSingleKey(key: string): boolean {
  return [...key.replace('Shift+', '')].length === 1 && !key.startsWith('Mod+');
}

/** The keys of a command as people read them: `⇧Z`, `G I`, `Ctrl K`. */
export function keyLabel(id: CommandId): string {
  return readable(KEYMAP.find((command) => command.id === id)!.keys[0]);
}

const MAC = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform);
const NAMES: Record<string, string> = {
  ArrowDown: '↓', ArrowUp: '↑', Escape: 'Esc', Enter: 'Enter', PageDown: 'PgDn', PageUp: 'PgUp',
};

export function readable(keys: string): string {
  return keys
    .split(' ')
    .map((key) =>
      key
        .split('+')
        .map((part) => (part === 'Mod' ? (MAC ? '⌘' : 'Ctrl') : part === 'Shift' ? '⇧' : (NAMES[part] ?? part)))
        .join(' '),
    )
    .join(' then ');
}
