import { describe, expect, test } from 'vitest';

import { fieldAt, fieldsOf, parseField, parseForm, startOf, type Schema } from './schema';

const field = (schema: Schema, required = false) => fieldsOf({ properties: { it: schema }, required: required ? ['it'] : [] })[0]!;

test.each<[Schema, string]>([
  [{ type: 'string' }, 'text'],
  [{ type: 'string', format: 'markdown' }, 'long'],
  [{ type: 'string', format: 'multiline' }, 'long'],
  [{ type: 'string', format: 'folder' }, 'folder'],
  [{ type: 'string', enum: ['a'] }, 'choice'],
  [{ type: 'integer' }, 'number'],
  [{ type: ['number', 'null'] }, 'number'],
  [{ type: 'boolean' }, 'flag'],
  [{ type: 'array', items: { type: 'string' } }, 'texts'],
  [{ type: 'array', items: { type: 'string', format: 'folder' } }, 'folders'],
  [{ type: 'object' }, 'json'],
  [{ type: 'array', items: { type: 'object' } }, 'json'],
])('%o is edited as %s', (schema, kind) => {
  expect(field(schema).kind).toBe(kind);
});

test('a field without a title is named by its words', () => {
  expect(fieldsOf({ properties: { oldAfterHours: {} } })[0]!.label).toBe('Old after hours');
});

describe('reading a field back', () => {
  test.each<[Schema, unknown, unknown]>([
    [{ type: 'integer' }, ' 12 ', 12],
    [{ type: 'string' }, ' text ', 'text'],
    [{ type: 'boolean' }, true, true],
    [{ enum: [1, 2] }, '2', 2],
    [{ type: 'array' }, ['a', ' ', 'b '], ['a', 'b']],
    [{ type: 'object' }, '{"a":1}', { a: 1 }],
    [{ type: 'string' }, '', undefined],
  ])('%o holding %j is %j', (schema, edited, value) => {
    expect(parseField(field(schema), edited)).toEqual({ value });
  });

  test.each<[Schema, unknown, RegExp]>([
    [{ type: 'integer' }, '1.5', /whole/],
    [{ type: 'number' }, 'x', /not a number/],
    [{ type: 'number', minimum: 3 }, '2', /at least 3/],
    [{ type: 'number', maximum: 3 }, '4', /at most 3/],
    [{ type: 'string', minLength: 3 }, 'ab', /at least 3/],
    [{ type: 'string' }, '', /needed/],
    [{ type: 'array' }, [], /at least one/],
    [{ type: 'object' }, '{', /JSON/],
  ])('%o holding %j is refused', (schema, edited, message) => {
    expect(parseField(field(schema, true), edited).error).toMatch(message);
  });
});

test('what is shown first is what was stored, else the default', () => {
  expect(startOf(field({ type: 'integer', default: 24 }), undefined)).toBe('24');
  expect(startOf(field({ type: 'integer', default: 24 }), 3)).toBe('3');
  expect(startOf(field({ type: 'boolean', default: true }), false)).toBe(false);
});

test('settings without a field survive saving, and emptied ones go', () => {
  const fields = fieldsOf({ properties: { a: { type: 'string' }, b: { type: 'string' } } });
  expect(parseForm(fields, { a: '', b: 'new' }, { a: 'old', b: 'old', hidden: 1 })).toEqual({ value: { b: 'new', hidden: 1 }, errors: {} });
});

test.each([
  ['/folders/0', { name: 'folders', index: 0 }],
  ['/baseUrl', { name: 'baseUrl', index: null }],
  ['/a~1b', { name: 'a/b', index: null }],
  ['', null],
  [undefined, null],
])('the pointer %s lies in %o', (pointer, place) => {
  expect(fieldAt(pointer)).toEqual(place);
});
