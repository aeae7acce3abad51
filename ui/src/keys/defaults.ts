/** Everything that a key can do, with the keys it has until a person gives it others. */
export const KEYMAP = [
  { id: 'next', keys: ['j', 'ArrowDown'], label: 'Next item', group: 'Move' },
  { id: 'previous', keys: ['k', 'ArrowUp'], label: 'Previous item', group: 'Move' },
  { id: 'first', keys: ['Home'], label: 'First item', group: 'Move' },
  { id: 'last', keys: ['End'], label: 'Last item', group: 'Move' },
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

  { id: 'cancelSending', keys: ['c'], label: 'Cancel', group: 'Outbox' },
  { id: 'sendAgain', keys: ['t'], label: 'Send again', group: 'Outbox' },
  { id: 'discard', keys: ['Delete'], label: 'Discard', group: 'Outbox' },

  { id: 'select', keys: ['x'], label: 'Select', group: 'Select' },
  { id: 'extendDown', keys: ['Shift+j', 'Shift+ArrowDown'], label: 'Extend selection down', group: 'Select' },
  { id: 'extendUp', keys: ['Shift+k', 'Shift+ArrowUp'], label: 'Extend selection up', group: 'Select' },
  { id: 'selectAll', keys: ['* a'], label: 'Select all in this view', group: 'Select' },
  { id: 'selectGroup', keys: ['Shift+x'], label: 'Select this group', group: 'Select' },

  { id: 'goInbox', keys: ['g i'], label: 'Inbox', group: 'Go to' },
  { id: 'goOutbox', keys: ['g o'], label: 'Outbox', group: 'Go to' },
  { id: 'goPlugins', keys: ['g p'], label: 'Plugins', group: 'Go to' },
  { id: 'goHistory', keys: ['g h'], label: 'History', group: 'Go to' },
  { id: 'goRules', keys: ['g r'], label: 'Rules', group: 'Go to' },
  { id: 'goSettings', keys: ['g s'], label: 'Settings', group: 'Go to' },
  { id: 'filter', keys: ['/'], label: 'Filter', group: 'Go to' },

  { id: 'palette', keys: ['Mod+k'], label: 'Command palette', group: 'Window' },
  { id: 'keys', keys: ['?'], label: 'Keys', group: 'Window' },
  { id: 'sidebar', keys: ['\\'], label: 'Sidebar', group: 'Window' },
  { id: 'zoomIn', keys: ['Mod+=', 'Mod++'], label: 'Zoom in', group: 'Window' },
  { id: 'zoomOut', keys: ['Mod+-'], label: 'Zoom out', group: 'Window' },
  { id: 'zoomReset', keys: ['Mod+0'], label: 'Usual size', group: 'Window' },
  { id: 'nextRegion', keys: ['F6'], label: 'Next region', group: 'Window' },
  { id: 'previousRegion', keys: ['Shift+F6'], label: 'Previous region', group: 'Window' },
] as const satisfies readonly { id: string; keys: readonly string[]; label: string; group: string }[];

export type CommandId = (typeof KEYMAP)[number]['id'];
export type Group = (typeof KEYMAP)[number]['group'];

/** The keys of each command as they are now; the first is the one that is shown beside buttons. */
export type KeysOf = Readonly<Record<CommandId, readonly string[]>>;

export const DEFAULT_KEYS = Object.fromEntries(KEYMAP.map((command) => [command.id, command.keys])) as unknown as KeysOf;

/** The name of a command for people. */
export function nameOf(id: CommandId): string {
  return KEYMAP.find((command) => command.id === id)!.label;
}
