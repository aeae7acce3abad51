// @vitest-environment node
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { OPERATORS } from './operators';

test('the operators are those of the engine', () => {
  const rust = readFileSync(new URL('../../../src-tauri/crates/inbox/src/query.rs', import.meta.url), 'utf8');
  const listed = rust.slice(rust.indexOf('pub const OPERATORS'), rust.indexOf('];', rust.indexOf('pub const OPERATORS')));
  expect(OPERATORS.map((operator) => operator.name)).toEqual([...listed.matchAll(/operator\("(\w+)"/g)].map((match) => match[1]));
  const words = (text: string) => [...text.matchAll(/"(\w+)"/g)].map((match) => match[1]);
  const [is, has] = [...rust.matchAll(/const NAMES: [^=]*=\s*(\[[^\]]*\])/g)].map((match) => words(match[1]!));
  const values = (name: string) => OPERATORS.find((operator) => operator.name === name)!.values.map((each) => each.value);
  expect(values('is')).toEqual(is);
  expect(values('has')).toEqual(has);
  expect(values('priority')).toEqual(words(/operator\("priority", &(\[[^\]]*\])/.exec(listed)![1]!));
});
