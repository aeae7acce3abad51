/** One value of an operator, and what it finds. */
export type OperatorValue = { value: string; help: string };
export type Operator = { name: string; help: string; values: readonly OperatorValue[] };

const value = (value: string, help: string): OperatorValue => ({ value, help });

/** The operators of the query language, as the engine has them; a test compares the two. */
export const OPERATORS: readonly Operator[] = [
  {
    name: 'is',
    help: 'the state of the item',
    values: [
      value('unread', 'not opened yet'),
      value('read', 'opened, or marked read'),
      value('inbox', 'not done, not snoozed, not muted'),
      value('done', 'you are through with it'),
      value('snoozed', 'comes back later'),
      value('starred', 'with your star'),
      value('muted', 'its thread is muted'),
      value('actionable', 'asks something of you'),
      value('any', 'everything, wherever it is'),
    ],
  },
  { name: 'from', help: 'the plugin or the account', values: [] },
  { name: 'repo', help: 'the repository or folder', values: [] },
  { name: 'org', help: "the repository's owner", values: [] },
  { name: 'type', help: 'the type that the plugin gave', values: [] },
  { name: 'reason', help: 'why it came', values: [] },
  { name: 'label', help: 'a label of the source or your own', values: [] },
  {
    name: 'priority',
    help: 'how much it matters',
    values: [value('urgent', 'before all else'), value('high', 'above the usual'), value('normal', 'the usual'), value('low', 'can wait')],
  },
  { name: 'state', help: 'its state in the source', values: [] },
  { name: 'author', help: 'who did it', values: [] },
  { name: 'thread', help: 'one conversation, by its key', values: [] },
  { name: 'older', help: 'no activity since then', values: [value('2d', '2 days'), value('3w', '3 weeks'), value('6mo', '6 months')] },
  { name: 'newer', help: 'activity since then', values: [value('12h', '12 hours'), value('2d', '2 days'), value('1w', '1 week')] },
  {
    name: 'has',
    help: 'what the item carries',
    values: [value('draft', 'a draft of an answer'), value('body', 'a text'), value('link', 'a page to open'), value('label', 'any label')],
  },
];

/** The units of an age, such as `older:2d`. */
export const AGE_UNITS: readonly (readonly [unit: string, one: string, many: string])[] = [
  ['min', 'minute', 'minutes'],
  ['h', 'hour', 'hours'],
  ['d', 'day', 'days'],
  ['w', 'week', 'weeks'],
  ['mo', 'month', 'months'],
  ['y', 'year', 'years'],
];
