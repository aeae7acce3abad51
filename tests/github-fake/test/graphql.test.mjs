import { expect, test } from 'vitest';
import { answer } from '../graphql.mjs';
import { smallWorld } from '../world.mjs';

test('a query that GitHub would refuse is refused', async () => {
  const wrong = await answer(smallWorld(), 'kim', { query: '{ viewer { login favouriteColour } }' });
  expect(wrong.errors[0].message).toContain('favouriteColour');
  const right = await answer(smallWorld(), 'kim', { query: '{ viewer { login } }' });
  expect(right.data.viewer.login).toBe('kim');
});

test('what is missing is null beside what is there', async () => {
  const query = '{ a: repository(owner: "acme", name: "api") { issueOrPullRequest(number: 1) { ... on PullRequest { title } } } b: repository(owner: "acme", name: "no") { name } }';
  const { data, errors } = await answer(smallWorld(), 'kim', { query });
  expect(data.a.issueOrPullRequest.title).toBe('Retry on 429');
  expect(data.b).toBeNull();
  expect(errors[0].path).toEqual(['b']);
});
