/** Which state of the world the made-up platform plays. */
export type Scenario = {
  items: number;
  /** Items that are made when they are asked for, instead of `items`; none when 0. */
  generated: number;
  firstRun: boolean;
  offline: boolean;
  /** `passphrase` is locked by one. */
  keychain: 'ready' | 'locked' | 'absent' | 'passphrase';
  /** `slow` never answers a list; `broken` refuses it. */
  lists: 'fine' | 'slow' | 'broken';
  syncing: boolean;
  /** `full` has actions in every state. */
  outbox: 'some' | 'full';
  /** The stored keys, usable or not. */
  keys: unknown;
};

const PLAIN: Scenario = { items: 60, generated: 0, firstRun: false, offline: false, keychain: 'ready', lists: 'fine', syncing: false, outbox: 'some', keys: {} };

const NAMED: Record<string, Partial<Scenario>> = {
  'first-run': { items: 0, firstRun: true },
  empty: { items: 8 },
  offline: { offline: true },
  locked: { keychain: 'locked' },
  'no-keychain': { keychain: 'absent' },
  passphrase: { keychain: 'passphrase' },
  slow: { lists: 'slow' },
  broken: { lists: 'broken' },
  outbox: { outbox: 'full' },
  'outbox-offline': { outbox: 'full', offline: true },
  syncing: { syncing: true },
  'broken-keys': { keys: { done: ['d'], star: ['nonsense'], fly: ['f'], read: ['h'] } },
  many: { items: 20_000 },
  million: { generated: 1_000_000 },
};

/** Reads `?fake=offline` and the like. */
export function scenarioFrom(search: string): Scenario {
  const name = new URLSearchParams(search).get('fake') ?? '';
  return { ...PLAIN, ...NAMED[name] };
}
