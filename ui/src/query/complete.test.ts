import { describe, expect, test } from 'vitest';

import { queryAt } from '../inbox/splits';
import { makeItems, makePlugins } from '../platform/fake/items';
import { complete, withChoice, type KnownValues } from './complete';
import { knownValues } from './known';
import { OPERATORS } from './operators';

const value = (value: string) => ({ value, help: '' });
const KNOWN: KnownValues = { repo: ['acme/atlas', 'acme/ledger', 'shop'].map(value), label: ['bug', 'needs review', 'ui', 'say "hi"'].map(value) };

/** The text with `|` where the caret is, as people see it. */
const at = (marked: string) => ({ text: marked.replace('|', ''), caret: marked.indexOf('|') });
const completion = (marked: string) => {
  const { text, caret } = at(marked);
  return complete(text, caret, KNOWN);
};
const labels = (marked: string) => completion(marked)?.choices.map((choice) => choice.label) ?? null;
/** What the text becomes with the choice of this label, with `|` at the caret. */
const chosen = (marked: string, label: string) => {
  const found = completion(marked)!;
  const after = withChoice(at(marked).text, found, found.choices.find((choice) => choice.label === label)!);
  return `${after.text.slice(0, after.caret)}|${after.text.slice(after.caret)}`;
};

describe('what is offered', () => {
  test.each<[string, string[] | null]>([
    ['re|', ['repo:', 'reason:', 'is:read']],
    ['RE|', ['repo:', 'reason:', 'is:read']],
    ['unr|', ['is:unread']],
    ['fix -o|', ['org:', 'older:']],
    ['(o|', ['org:', 'older:']],
    ['is:s|', ['is:snoozed', 'is:starred']],
    ['is:unread|', null],
    ['is:unread,s|', ['is:snoozed', 'is:starred']],
    ['is:snoozed,s|', ['is:starred']],
    ['repo:|', ['repo:acme/atlas', 'repo:acme/ledger', 'repo:shop']],
    ['repo:l|', ['repo:acme/ledger', 'repo:acme/atlas']],
    ['label:nee|', ['label:needs review']],
    ['label:"nee|', ['label:needs review']],
    ['label:"needs review"|', null],
    ['older:5|', ['older:5min', 'older:5h', 'older:5d', 'older:5w', 'older:5mo', 'older:5y']],
    ['newer:|', ['newer:12h', 'newer:2d', 'newer:1w']],
    ['thread:|', null],
    ['colour:r|', null],
    ['https://|', null],
    ['"is:|', null],
    ['deploy|', null],
    ['fix(st|', ['state:', 'is:starred']],
    ['is|:unread', null],
    ['i|s:unread', null],
  ])('%s', (marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  test('before anything is typed, all operators, for who asks', () => {
    expect(completion('fix |')).toMatchObject({ begun: false });
    expect(labels('|')).toEqual(OPERATORS.map((operator) => `${operator.name}:`));
    expect(completion('is:|')).toMatchObject({ begun: true });
  });

  test('each with a few plain words', () => {
    const all = [...OPERATORS, ...OPERATORS.flatMap((operator) => operator.values)];
    expect(all.filter((each) => each.help === '' || each.help.length > 40)).toEqual([]);
    expect(completion('older:1|')!.choices.find((choice) => choice.label === 'older:1d')!.help).toBe('1 day');
  });
});

test.each([
  ['re|', 'repo:', 'repo:|'],
  ['fix -re|', 'repo:', 'fix -repo:|'],
  ['unr| label:bug', 'is:unread', 'is:unread| label:bug'],
  ['is:st|arr -x', 'is:starred', 'is:starred| -x'],
  ['label:bug,nee|', 'label:needs review', 'label:bug,"needs review"|'],
  ['label:"nee| or" x', 'label:needs review', 'label:"needs review"| x'],
  ['label:sa|', 'label:say "hi"', 'label:"say \\"hi\\""|'],
  ['(repo:sh|) y', 'repo:shop', '(repo:shop|) y'],
  ['re|:a', 'repo:', 'repo:|a'],
])('%s with %s becomes %s', (marked, label, after) => {
  expect(chosen(marked, label)).toBe(after);
});

test('in a text of several queries only the one under the caret counts', () => {
  const text = 'Bugs = label:bug is:un\n# x = is:un\nOld = older:1y';
  const query = (caret: number) => {
    const found = queryAt(text, caret);
    return found && text.slice(found.from, found.to);
  };
  expect(query(2)).toBeNull();
  expect(query(22)).toBe(' label:bug is:un');
  expect(query(33)).toBeNull();
  expect(query(text.length)).toBe(' older:1y');
  const { from, to } = queryAt(text, 22)!;
  const found = complete(text, 22, {}, from, to)!;
  expect(withChoice(text, found, found.choices[0]!).text.split('\n')[0]).toBe('Bugs = label:bug is:unread');
});

test('known values are those of the loaded rows, the most frequent first, and the plugins', () => {
  const plugins = makePlugins(true);
  plugins[0]!.accounts.push({ ...plugins[0]!.accounts[0]!, id: 'acc_second', name: 'Second' });
  const items = makeItems(9).map((item, n) => (n === 0 ? { ...item, repo: 'acme/shop' } : item));
  const known = knownValues(items, plugins);
  const values = (name: string) => known[name]!.map((each) => each.value);
  expect(values('from')).toEqual(['git-local', 'acc_git', 'acc_second', 'builds', 'forge']);
  expect(values('org')).toEqual(['acme']);
  expect(values('type').slice(0, 2)).toEqual(['branch', 'build']);
  expect(values('label')).toEqual(expect.arrayContaining(['this week', 'nightly', 'flaky']));
  expect(values('author')).toEqual(['Noor']);
});
