import { AGE_UNITS, OPERATORS, type Operator, type OperatorValue } from './operators';

/** Values that the interface has seen, by the operator that takes them, the likeliest first. */
export type KnownValues = Readonly<Record<string, readonly OperatorValue[]>>;

/** Something to put in the place of what is being typed. */
export type Choice = {
  /** As it is shown: `is:unread`. */
  label: string;
  help: string;
  /** What is written; after an operator its values follow. */
  insert: string;
  opens: boolean;
};

/** What may stand between `from` and `to` of the text. `begun` is false while nothing of it is typed. */
export type Completion = { from: number; to: number; begun: boolean; choices: readonly Choice[] };

const MOST = 20;
/** Of a plain word this many letters, before it is taken for a value whose operator was left out. */
const ENOUGH = 2;

/**
 * What the word under the caret can become: an operator while its name is typed, else one of the operator's
 * values. Null where nothing is to be said, or all is said already. `from` and `to` bound the query where the
 * text holds more than it.
 */
export function complete(text: string, caret: number, known: KnownValues, from = 0, to = text.length): Completion | null {
  const start = wordStart(text, from, caret);
  if (start === null) return null;
  const typed = text.slice(start, caret);
  const colon = typed.indexOf(':');
  if (colon < 0) return completeWord(text, start, caret, to);
  const operator = OPERATORS.find((each) => each.name === typed.slice(0, colon).toLowerCase());
  return operator ? completeValue(operator, text, start + colon + 1, caret, to, known) : null;
}

/** The query with a choice in its place, and where the caret is then. */
export function withChoice(text: string, { from, to }: Completion, choice: Choice): { text: string; caret: number } {
  return { text: text.slice(0, from) + choice.insert + text.slice(to), caret: from + choice.insert.length };
}

const ENDS_WORD = /[\s()]/;

/** Where the word before the caret begins, after parentheses and a leading `-`; null inside of a phrase. */
function wordStart(text: string, from: number, caret: number): number | null {
  let start = from;
  let quoted = false;
  for (let at = from; at < caret; at += 1) {
    if (quoted && text[at] === '\\') at += 1;
    else if (text[at] === '"') quoted = !quoted;
    else if (!quoted && ENDS_WORD.test(text[at]!)) start = at + 1;
  }
  while (start < caret && text[start] === '-') start += 1;
  const quote = text.slice(start, caret).indexOf('"');
  const colon = text.slice(start, caret).indexOf(':');
  return quote >= 0 && (colon < 0 || quote < colon) ? null : start;
}

function completeWord(text: string, start: number, caret: number, end: number): Completion | null {
  const word = text.slice(start, caret).toLowerCase();
  let to = caret;
  while (to < end && /[a-z]/i.test(text[to]!)) to += 1;
  // Before a colon the word is a name already.
  const named = text[to] === ':' && to < end;
  const choices = [...operatorsLike(word), ...(named || word.length < ENOUGH ? [] : valuesLike(word))];
  return completion(text, start, named ? to + 1 : to, caret > start, choices);
}

function operatorsLike(word: string): Choice[] {
  const operators = OPERATORS.filter((each) => each.name.startsWith(word));
  return operators.map(({ name, help }) => ({ label: `${name}:`, help, insert: `${name}:`, opens: true }));
}

/** Values that are always there, for who types `unread` and means `is:unread`. */
function valuesLike(word: string): Choice[] {
  return OPERATORS.filter((operator) => !isAge(operator)).flatMap((operator) =>
    operator.values
      .filter((each) => each.value.startsWith(word))
      .map(({ value, help }) => ({ label: `${operator.name}:${value}`, help, insert: `${operator.name}:${value}`, opens: false })),
  );
}

function completeValue(operator: Operator, text: string, first: number, caret: number, end: number, known: KnownValues): Completion | null {
  const start = valueStart(text, first, caret);
  const inQuotes = text[start] === '"' && start < caret;
  const typed = unquoted(text.slice(start, caret)).toLowerCase();
  const to = valueEnd(text, start, caret, end, inQuotes);
  const written = listed(text, first, start);
  const values = valuesOf(operator, typed, known).filter((each) => !written.includes(each.value.toLowerCase()));
  const matching = [0, 1, 2].flatMap((rank) => values.filter((each) => rankOf(each.value.toLowerCase(), typed) === rank));
  const choices = matching.map(({ value, help }): Choice => ({ label: `${operator.name}:${value}`, help, insert: quoted(value), opens: false }));
  return completion(text, start, to, true, choices);
}

/** What begins so comes before a repository whose own name does, and that before what has it somewhere. */
function rankOf(value: string, typed: string): number {
  if (value.startsWith(typed)) return 0;
  if (value.includes(`/${typed}`)) return 1;
  return value.includes(typed) ? 2 : -1;
}

function completion(text: string, from: number, to: number, begun: boolean, choices: readonly Choice[]): Completion | null {
  const there = text.slice(from, to).toLowerCase();
  const left = choices.filter((each) => each.insert.toLowerCase() !== there).slice(0, MOST);
  return left.length === 0 ? null : { from, to, begun, choices: left };
}

function isAge(operator: Operator): boolean {
  return operator.name === 'older' || operator.name === 'newer';
}

function valuesOf(operator: Operator, typed: string, known: KnownValues): readonly OperatorValue[] {
  const number = /^\d{1,4}$/.exec(typed)?.[0];
  if (isAge(operator) && number !== undefined) {
    return AGE_UNITS.map(([unit, one, many]) => ({ value: number + unit, help: `${Number(number)} ${Number(number) === 1 ? one : many}` }));
  }
  return operator.values.length > 0 ? operator.values : (known[operator.name] ?? []);
}

/** Where the last value of a comma list begins. */
function valueStart(text: string, first: number, caret: number): number {
  let start = first;
  let quoted = false;
  for (let at = first; at < caret; at += 1) {
    if (quoted && text[at] === '\\') at += 1;
    else if (text[at] === '"') quoted = !quoted;
    else if (!quoted && text[at] === ',') start = at + 1;
  }
  return start;
}

/** Where the value under the caret ends; a quote that is not closed ends at the caret. */
function valueEnd(text: string, start: number, caret: number, end: number, inQuotes: boolean): number {
  if (inQuotes) {
    if (caret > start + 1 && text[caret - 1] === '"') return caret;
    const close = text.indexOf('"', caret);
    return close >= 0 && close < end ? close + 1 : caret;
  }
  let to = caret;
  while (to < end && !/[\s(),"]/.test(text[to]!)) to += 1;
  return to;
}

/** The values of a comma list that are written before the one under the caret. */
function listed(text: string, first: number, start: number): string[] {
  return text.slice(first, start).split(',').map((each) => unquoted(each).toLowerCase()).filter(Boolean);
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  return value.slice(1).replace(/(?<!\\)"$/, '').replace(/\\(["\\])/g, '$1');
}

function quoted(value: string): string {
  const plain = value !== '' && !/[\s(),"]/.test(value) && !/^[:/]/.test(value);
  return plain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
