import { expect, test } from 'vitest';

import { filterParts, joinQuery } from './views';

test.each([
  ['is:inbox', '', 'is:inbox'],
  ['is:inbox', 'repo:a/b fix', 'is:inbox repo:a/b fix'],
  ['is:inbox is:unread', 'is:done', 'is:unread is:done'],
  ['is:inbox', 'is:any', 'is:any'],
  ['is:inbox', 'a or b', 'is:inbox (a or b)'],
  ['is:inbox', 'is:unread', 'is:inbox is:unread'],
])('%s with the filter %j asks for %j', (view, filter, expected) => {
  expect(joinQuery(view, filter)).toBe(expected);
});

test('a filter comes apart at its operators, not inside of quotes', () => {
  expect(filterParts('repo:a -label:"help wanted" "two words" fix')).toEqual(['repo:a', '-label:"help wanted"', '"two words"', 'fix']);
  expect(filterParts('a or b')).toEqual(['a or b']);
});
