import type { DevRigError, ItemSummary } from '../wire';

type Test = (item: ItemSummary) => boolean;

/** A small part of the query language: operators, `-`, comma lists and words. No `or`, no parentheses. */
export function parseQuery(query: string): { tests: Test[]; error: DevRigError | null } {
  const tests: Test[] = [];
  let placed = false;
  for (const match of query.matchAll(/-?[a-z]+:"[^"]*"|-?"[^"]*"|\S+/gi)) {
    const raw = match[0];
    const negated = raw.startsWith('-');
    const token = negated ? raw.slice(1) : raw;
    const colon = token.indexOf(':');
    let test: Test | null;
    if (colon > 0) {
      const name = token.slice(0, colon);
      const values = token.slice(colon + 1).replaceAll('"', '').toLowerCase().split(',');
      if (name === 'is' && values.some((v) => PLACES.has(v))) placed = true;
      test = operator(name, values);
    } else {
      const word = token.replaceAll('"', '').toLowerCase();
      test = (item) => `${item.title} ${item.preview} ${item.repo ?? ''}`.toLowerCase().includes(word);
    }
    if (!test) return { tests, error: unknown(token, match.index + (negated ? 1 : 0)) };
    const kept = test;
    tests.push(negated ? (item) => !kept(item) : kept);
  }
  if (!placed) tests.push(STATES['inbox']!);
  return { tests, error: null };
}

const PLACES = new Set(['inbox', 'done', 'snoozed', 'any', 'muted', 'starred']);

const STATES: Record<string, Test> = {
  inbox: (i) => !i.triage.doneAt && !i.triage.snoozedUntil && !i.triage.muted,
  done: (i) => i.triage.doneAt !== null,
  snoozed: (i) => i.triage.snoozedUntil !== null,
  muted: (i) => i.triage.muted,
  unread: (i) => i.triage.readAt === null,
  read: (i) => i.triage.readAt !== null,
  starred: (i) => i.triage.starredAt !== null,
  actionable: (i) => i.isActionable,
  any: () => true,
};

function operator(name: string, values: string[]): Test | null {
  const has = (text: string | null) => text !== null && values.some((v) => text.toLowerCase() === v);
  switch (name) {
    case 'is': {
      const states = values.map((v) => STATES[v]);
      return states.every((s) => s !== undefined) ? (i) => states.some((s) => s!(i)) : null;
    }
    case 'from':
      return (i) => has(i.accountId) || values.some((v) => i.plugin.includes(v));
    case 'repo':
      return (i) => i.repo !== null && values.some((v) => i.repo!.toLowerCase().includes(v));
    case 'type':
      return (i) => has(i.type);
    case 'state':
      return (i) => has(i.state);
    case 'author':
      return (i) => has(i.actor);
    case 'label':
      return (i) => [...i.labels, ...i.triage.labels].some((label) => has(label));
    case 'priority':
      return (i) => has(i.priority);
    default:
      return null;
  }
}

function unknown(token: string, at: number): DevRigError {
  return {
    code: 'INVALID_QUERY',
    category: 'permanent',
    message: `${token} is not known`,
    hint: 'Known: is, from, repo, type, state, author, label, priority.',
    retryable: false,
    details: { column: at + 1, length: token.length },
  };
}
