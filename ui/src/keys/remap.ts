import { DEFAULT_KEYS, KEYMAP, nameOf, type CommandId, type KeysOf } from './defaults';
import { partsOf, readable } from './keymap';

/** The setting that holds what a person changed: command → keys, only where they differ from the defaults. */
export const KEYS_SETTING = 'keys.map';

/** Commands whose keys are the way back from any other choice, so that nobody locks themselves out. */
const FIXED: ReadonlySet<CommandId> = new Set<CommandId>(['palette', 'back', 'nextRegion', 'previousRegion']);

/** Keys that move the focus or leave a layer, whatever is held with them. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(['Escape', 'Tab', 'F6']);
/** Ctrl/Cmd+K, and what text fields and the clipboard live by. */
const RESERVED_PRESSES: ReadonlySet<string> = new Set(['Mod+k', 'Mod+a', 'Mod+c', 'Mod+v', 'Mod+x', 'Mod+z', 'Mod+Shift+z']);

const NAMED_KEYS: ReadonlySet<string> = new Set([
  'Enter', 'Space', 'Backspace', 'Delete', 'Insert', 'Home', 'End', 'PageUp', 'PageDown', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight',
  ...Array.from({ length: 12 }, (_, n) => `F${n + 1}`),
]);

export function isFixed(id: CommandId): boolean {
  return FIXED.has(id);
}

/** Why a press cannot be given to a command, in words; null where it can. */
export function pressProblem(press: string): string | null {
  const { modifiers, key } = partsOf(press);
  if (RESERVED_KEYS.has(key) || RESERVED_PRESSES.has(press)) return `${readable(press)} always keeps its own meaning.`;
  const letter = [...key].length === 1 && !/\s|\p{C}/u.test(key);
  const named = NAMED_KEYS.has(key);
  const writable = letter && key === key.toLowerCase() && !(modifiers.includes('Shift') && !/^\p{L}$/u.test(key));
  return named || writable ? null : `“${press}” is no key.`;
}

/** The same for keys as they are stored: one press, or two after another. */
export function keysProblem(keys: string): string | null {
  const presses = keys.split(' ');
  if (presses.length > 2) return `“${keys}” has more than two keys in a row.`;
  return presses.map(pressProblem).find((problem) => problem !== null) ?? null;
}

export type ReadKeys = { keys: KeysOf; problems: string[] };

/** What is usable of the stored setting. What is not is told, and the defaults stand in its place. */
export function readKeyMap(stored: unknown): ReadKeys {
  if (stored === null || stored === undefined) return { keys: DEFAULT_KEYS, problems: [] };
  if (typeof stored !== 'object' || Array.isArray(stored)) return { keys: DEFAULT_KEYS, problems: ['The stored keys are no list of commands.'] };
  const problems: string[] = [];
  const changed = new Map<CommandId, readonly string[]>();
  for (const [id, keys] of Object.entries(stored)) {
    const command = KEYMAP.find((each) => each.id === id);
    const problem = command ? entryProblem(command.id, keys) : `There is no command “${id}”.`;
    if (problem === null) changed.set(command!.id, keys as string[]);
    else problems.push(problem);
  }
  return withoutConflicts(changed, problems);
}

function entryProblem(id: CommandId, keys: unknown): string | null {
  if (FIXED.has(id)) return `${nameOf(id)}: this key cannot be changed.`;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 4 || !keys.every((each) => typeof each === 'string')) {
    return `${nameOf(id)}: the keys have to be a list of one to four texts.`;
  }
  const problem = keys.map(keysProblem).find((each) => each !== null);
  if (problem) return `${nameOf(id)}: ${problem}`;
  const twice = keys.find((each, at) => keys.some((other, index) => index !== at && overlap(each, other) !== null));
  return twice === undefined ? null : `${nameOf(id)}: ${readable(twice)} stands in the way of another of its keys.`;
}

/** Takes back one change after another until no two commands share a key; the defaults share none. */
function withoutConflicts(changed: Map<CommandId, readonly string[]>, problems: string[]): ReadKeys {
  for (;;) {
    if (changed.size === 0) return { keys: DEFAULT_KEYS, problems };
    const keys: KeysOf = { ...DEFAULT_KEYS, ...Object.fromEntries(changed) };
    const clash = firstClash(keys, [...changed.keys()]);
    if (!clash) return { keys, problems };
    problems.push(`${nameOf(clash.id)}: ${readable(clash.keys)} ${clashWords(clash)}.`);
    changed.delete(clash.id);
  }
}

/** The last of the changed commands that takes a key of another. */
function firstClash(keys: KeysOf, ids: readonly CommandId[]): (Conflict & { id: CommandId; keys: string }) | null {
  for (const id of ids.toReversed()) {
    for (const own of keys[id]) {
      const [conflict] = conflictsOf(keys, id, own);
      if (conflict) return { ...conflict, id, keys: own };
    }
  }
  return null;
}

type Overlap = 'same' | 'begins' | 'begun';
export type Conflict = { with: CommandId; theirs: string; kind: Overlap };

/** How one choice of keys stands in the way of another: a key that begins a chord cannot act by itself. */
function overlap(wanted: string, theirs: string): Overlap | null {
  if (theirs === wanted) return 'same';
  if (theirs.startsWith(`${wanted} `)) return 'begins';
  return wanted.startsWith(`${theirs} `) ? 'begun' : null;
}

/**
 * Commands that stand in the way of giving `wanted` to `id`: those with the same keys, those whose chord
 * `wanted` begins, and those whose single key begins the chord `wanted`.
 */
export function conflictsOf(keys: KeysOf, id: CommandId, wanted: string): Conflict[] {
  return KEYMAP.filter((command) => command.id !== id).flatMap((command) =>
    keys[command.id].flatMap((theirs): Conflict[] => {
      const kind = overlap(wanted, theirs);
      return kind === null ? [] : [{ with: command.id, theirs, kind }];
    }),
  );
}

/** What stands in the way, after the wanted key's name: “is the key of Star”. */
export function clashWords(conflict: Conflict): string {
  const name = `“${nameOf(conflict.with)}”`;
  if (conflict.kind === 'same') return `is the key of ${name}`;
  return conflict.kind === 'begins' ? `begins ${readable(conflict.theirs)}, the keys of ${name}` : `begins with ${readable(conflict.theirs)}, the key of ${name}`;
}

/** `wanted` in the place of the command's first key. */
export function withKey(keys: KeysOf, id: CommandId, wanted: string): KeysOf {
  return { ...keys, [id]: [wanted, ...keys[id].slice(1).filter((each) => overlap(wanted, each) === null)] };
}

/** Each takes the other's key; null where that would only move the conflict elsewhere. */
export function swapped(keys: KeysOf, id: CommandId, wanted: string): KeysOf | null {
  const [conflict, another] = conflictsOf(keys, id, wanted);
  if (!conflict || another || FIXED.has(conflict.with)) return null;
  const given = keys[id][0]!;
  const next = withKey({ ...keys, [conflict.with]: keys[conflict.with].map((each) => (each === conflict.theirs ? given : each)) }, id, wanted);
  const free = next[conflict.with].every((each) => conflictsOf(next, conflict.with, each).length === 0) && conflictsOf(next, id, wanted).length === 0;
  return free ? next : null;
}

export function isChanged(keys: KeysOf, id: CommandId): boolean {
  return keys[id].join(',') !== DEFAULT_KEYS[id].join(',');
}

/** The command with the keys it came with; whoever has taken one of them gets its own back too. */
export function withReset(keys: KeysOf, id: CommandId): { keys: KeysOf; also: CommandId[] } {
  const reset = new Set<CommandId>([id]);
  let next = keys;
  for (let settled = false; !settled; ) {
    next = { ...keys, ...Object.fromEntries([...reset].map((each) => [each, DEFAULT_KEYS[each]])) };
    const before = reset.size;
    for (const each of reset) for (const own of next[each]) for (const conflict of conflictsOf(next, each, own)) reset.add(conflict.with);
    settled = reset.size === before;
  }
  reset.delete(id);
  return { keys: next, also: [...reset] };
}

/** What the setting has to hold. */
export function changesOf(keys: KeysOf): Partial<Record<CommandId, readonly string[]>> {
  return Object.fromEntries(KEYMAP.filter((command) => isChanged(keys, command.id)).map((command) => [command.id, keys[command.id]]));
}
