// GitHub's own schema over the world: what is no valid query there is none here.

import { schema as description } from '@octokit/graphql-schema';
import { buildSchema, execute, GraphQLError, parse, validate } from 'graphql';

let schema;

/** Built once, in about two seconds. The description repeats a field, so it is taken as it is. */
export function githubSchema() {
  schema ??= buildSchema(description.idl, { assumeValidSDL: true });
  return schema;
}

export function answer(world, login, { query, variables }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { errors: [{ message: error.message }] };
  }
  const wrong = validate(githubSchema(), document);
  if (wrong.length > 0) return { errors: wrong.map((error) => ({ message: error.message })) };
  return execute({ schema: githubSchema(), document, variableValues: variables, rootValue: root(world, login) });
}

function root(world, login) {
  return {
    viewer: user(world, login),
    rateLimit: { cost: 1, limit: 5000, remaining: 4990, resetAt: new Date(Date.now() + 3_600_000).toISOString() },
    repository: ({ owner, name }) => {
      const repo = world.repo(`${owner}/${name}`);
      if (!repo) throw missing(`Could not resolve to a Repository with the name '${owner}/${name}'.`);
      return repository(world, repo);
    },
    search: (args) => search(world, login, args),
  };
}

const missing = (message) => new GraphQLError(message, { extensions: { type: 'NOT_FOUND' } });

const user = (world, login) => ({ __typename: 'User', login, name: world.users.get(login)?.name ?? null, id: `U_${login}` });

function repository(world, repo) {
  const subject = ({ number }) => {
    const found = repo.issues.get(number);
    if (!found) throw missing(`Could not resolve to an issue or pull request with the number of ${number}.`);
    return toSubject(world, found);
  };
  return { nameWithOwner: repo.full_name, name: repo.name, issueOrPullRequest: subject, pullRequest: subject, issue: subject };
}

const list = (nodes) => ({ nodes, totalCount: nodes.length, pageInfo: { hasNextPage: false, endCursor: null } });

export function toSubject(world, issue) {
  const web = `https://github.com/${issue.repo.full_name}`;
  const common = {
    id: issue.node, number: issue.number, title: issue.title, body: issue.body, createdAt: issue.created_at, updatedAt: issue.updated_at,
    author: user(world, issue.author), repository: () => repository(world, issue.repo),
    labels: () => list(issue.labels.map((name) => ({ name }))),
    assignees: () => list(issue.assignees.map((login) => user(world, login))),
    comments: ({ last }) => list(issue.comments.slice(-last).map((comment) => ({ author: user(world, comment.login), body: comment.body, createdAt: comment.at }))),
  };
  if (issue.kind === 'issue') {
    return { __typename: 'Issue', ...common, url: `${web}/issues/${issue.number}`, state: issue.state.toUpperCase(), stateReason: issue.state_reason?.toUpperCase() ?? null };
  }
  return {
    __typename: 'PullRequest', ...common, url: `${web}/pull/${issue.number}`,
    state: issue.merged ? 'MERGED' : issue.state.toUpperCase(), isDraft: issue.draft,
    mergeable: issue.mergeable === null ? 'UNKNOWN' : issue.mergeable ? 'MERGEABLE' : 'CONFLICTING',
    reviewDecision: decision(issue), additions: issue.additions, deletions: issue.deletions, changedFiles: issue.files,
    headRefName: issue.head, headRefOid: issue.sha, baseRefName: issue.base,
    reviewRequests: () => list([...issue.reviewers.map((login) => ({ requestedReviewer: user(world, login) })), ...issue.teams.map((name) => ({ requestedReviewer: { __typename: 'Team', name } }))]),
    reviews: ({ last }) => list(issue.reviews.slice(-last).map((review) => ({ author: user(world, review.login), state: review.state, body: review.body, submittedAt: review.at }))),
    commits: () => list([{ commit: { statusCheckRollup: rollup(issue) } }]),
  };
}

/** As the last review of each person has it. */
function decision(pull) {
  const last = new Map();
  for (const review of pull.reviews) if (review.state !== 'COMMENTED') last.set(review.login, review.state);
  const states = [...last.values()];
  if (states.includes('CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  if (states.includes('APPROVED')) return 'APPROVED';
  return 'REVIEW_REQUIRED';
}

function rollup(pull) {
  if (pull.checks.length === 0) return null;
  const failed = pull.checks.some(({ run }) => run.conclusion === 'failure');
  const running = pull.checks.some(({ run }) => run.status !== 'completed');
  return {
    state: failed ? 'FAILURE' : running ? 'PENDING' : 'SUCCESS',
    contexts: () => list(pull.checks.map(({ name, run }) => ({
      __typename: 'CheckRun', name, status: run.status.toUpperCase(), conclusion: run.conclusion?.toUpperCase() ?? null,
      detailsUrl: `https://github.com/${pull.repo.full_name}/actions/runs/${run.id}`, checkSuite: { workflowRun: { databaseId: run.id } },
    }))),
  };
}

/** The part of the search language that a client of ours uses; anything else is an error. */
function search(world, login, { query, first, after }) {
  const tests = query.split(/\s+/).filter(Boolean).map((term) => test(term, login));
  const all = [...world.repos.values()].flatMap((repo) => [...repo.issues.values()]).filter((issue) => tests.every((holds) => holds(issue)));
  all.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  const from = after ? Number(Buffer.from(after, 'base64').toString()) : 0;
  const page = all.slice(from, Math.min(from + first, 1000));
  const end = from + page.length;
  return {
    issueCount: all.length, nodes: page.map((issue) => toSubject(world, issue)),
    pageInfo: { hasNextPage: end < Math.min(all.length, 1000), endCursor: page.length > 0 ? Buffer.from(String(end)).toString('base64') : null },
  };
}

function test(term, login) {
  const mentions = (issue) => `${issue.body} ${issue.comments.map((comment) => comment.body).join(' ')}`.includes(`@${login}`);
  const [, field, value] = /^([a-z-]+):(.*)$/.exec(term) ?? [];
  const who = value === '@me' ? login : value;
  switch (field) {
    case 'is':
      return { pr: (i) => i.kind === 'pull', issue: (i) => i.kind === 'issue', open: (i) => i.state === 'open', closed: (i) => i.state === 'closed' }[value];
    case 'author':
      return (issue) => issue.author === who;
    case 'assignee':
      return (issue) => issue.assignees.includes(who);
    case 'mentions':
      return mentions;
    case 'involves':
      return (issue) => issue.author === who || issue.assignees.includes(who) || mentions(issue) || issue.comments.some((comment) => comment.login === who);
    case 'review-requested':
      return (issue) => issue.reviewers?.includes(who) ?? false;
    case 'reviewed-by':
      return (issue) => issue.reviews?.some((review) => review.login === who) ?? false;
    case 'archived':
    case 'sort':
      return () => true;
    case 'updated': {
      const since = value.replace('>=', '');
      return (issue) => issue.updated_at >= since;
    }
    default:
      throw new GraphQLError(`the fake does not know ${JSON.stringify(term)} in a search`);
  }
}
