// The REST side: the routes that a client of ours uses, answered from the world as GitHub documents them.

import { fullUser, toComment, toIssue, toLabel, toPull, toPullSummary, toReview, toSubscription, toThread } from './shapes.mjs';

/** `[method, path pattern, needed scopes, handler]`; a handler gives `[status, body, headers?]`. */
export const ROUTES = [
  ['GET', '/user', [], ({ world, login, base }) => [200, fullUser(world, login, base)]],
  ['GET', '/rate_limit', [], () => [200, { resources: { core: limit(), search: limit() }, rate: limit() }]],
  ['GET', '/notifications', ['notifications', 'repo'], listThreads],
  ['PATCH', '/notifications/threads/:id', ['notifications', 'repo'], ({ thread }) => {
    Object.assign(thread, { unread: false, last_read_at: thread.updated_at });
    return [205, null];
  }],
  ['DELETE', '/notifications/threads/:id', ['notifications', 'repo'], ({ thread }) => {
    Object.assign(thread, { unread: false, done: true });
    return [204, null];
  }],
  ['GET', '/notifications/threads/:id/subscription', ['notifications', 'repo'], ({ world, thread, base }) => {
    const state = world.subscriptions.get(thread.id);
    return state === 'none' ? [404, notFound()] : [200, toSubscription(thread, base, state === 'ignored')];
  }],
  ['PUT', '/notifications/threads/:id/subscription', ['notifications', 'repo'], ({ world, thread, base, body }) => {
    world.subscriptions.set(thread.id, body?.ignored ? 'ignored' : 'on');
    return [200, toSubscription(thread, base, body?.ignored === true)];
  }],
  ['DELETE', '/notifications/threads/:id/subscription', ['notifications', 'repo'], ({ world, thread }) => {
    world.subscriptions.set(thread.id, 'none');
    return [204, null];
  }],
  ['GET', '/repos/:owner/:name/pulls/:number', ['repo'], ({ world, issue, base }) => [200, toPull(world, issue, base)]],
  ['PUT', '/repos/:owner/:name/pulls/:number/merge', ['repo'], merge],
  ['POST', '/repos/:owner/:name/pulls/:number/reviews', ['repo'], review],
  ['POST', '/repos/:owner/:name/pulls/:number/requested_reviewers', ['repo'], ({ world, issue, body, base }) => {
    const unknown = (body?.reviewers ?? []).filter((login) => !world.users.has(login));
    if (unknown.length > 0) return [422, wrong('Reviews may only be requested from collaborators.')];
    issue.reviewers = [...new Set([...issue.reviewers, ...(body?.reviewers ?? [])])];
    issue.teams = [...new Set([...issue.teams, ...(body?.team_reviewers ?? [])])];
    issue.updated_at = world.tick();
    return [201, toPullSummary(world, issue, base)];
  }],
  ['POST', '/repos/:owner/:name/issues', ['repo', 'public_repo'], ({ world, repo, body, login, base }) => {
    if (typeof body?.title !== 'string') return [422, wrong('Validation Failed', [{ resource: 'Issue', field: 'title', code: 'missing_field' }])];
    const issue = world.addIssue(repo.full_name, { title: body.title, body: body.body ?? '', author: login, labels: body.labels ?? [], assignees: body.assignees ?? [] });
    return [201, toIssue(world, issue, base)];
  }],
  ['PATCH', '/repos/:owner/:name/issues/:number', ['repo', 'public_repo'], ({ world, issue, body, base }) => {
    if (issue.merged && body?.state === 'open') return [422, wrong('Validation Failed', [{ resource: 'Issue', field: 'state', code: 'invalid', message: 'A merged pull request cannot be reopened.' }])];
    if (body?.state === 'closed') world.close(issue, body.state_reason ?? 'completed');
    if (body?.state === 'open') world.reopen(issue);
    return [200, toIssue(world, issue, base)];
  }],
  ['POST', '/repos/:owner/:name/issues/:number/comments', ['repo', 'public_repo'], ({ world, issue, body, login, base }) => {
    if (typeof body?.body !== 'string' || body.body === '') return [422, wrong('Validation Failed', [{ resource: 'IssueComment', field: 'body', code: 'missing_field' }])];
    const made = world.comment(issue, login, body.body);
    return [201, toComment(world, issue, made, base)];
  }],
  ['POST', '/repos/:owner/:name/issues/:number/labels', ['repo', 'public_repo'], ({ world, issue, body, base }) => {
    issue.labels = [...new Set([...issue.labels, ...(body?.labels ?? [])])];
    issue.updated_at = world.tick();
    return [200, issue.labels.map((name) => toLabel(name, issue.repo, base))];
  }],
  ['DELETE', '/repos/:owner/:name/issues/:number/labels/:label', ['repo', 'public_repo'], ({ world, issue, params, base }) => {
    if (!issue.labels.includes(params.label)) return [404, { ...notFound(), message: 'Label does not exist' }];
    issue.labels = issue.labels.filter((label) => label !== params.label);
    issue.updated_at = world.tick();
    return [200, issue.labels.map((name) => toLabel(name, issue.repo, base))];
  }],
  ['POST', '/repos/:owner/:name/issues/:number/assignees', ['repo', 'public_repo'], ({ world, issue, body, base }) => {
    // GitHub leaves out whom it cannot assign, without a word.
    const known = (body?.assignees ?? []).filter((login) => world.users.has(login));
    issue.assignees = [...new Set([...issue.assignees, ...known])];
    issue.updated_at = world.tick();
    return [201, toIssue(world, issue, base)];
  }],
  ['DELETE', '/repos/:owner/:name/issues/:number/assignees', ['repo', 'public_repo'], ({ world, issue, body, base }) => {
    issue.assignees = issue.assignees.filter((login) => !(body?.assignees ?? []).includes(login));
    issue.updated_at = world.tick();
    return [200, toIssue(world, issue, base)];
  }],
  ['POST', '/repos/:owner/:name/actions/runs/:run/rerun-failed-jobs', ['repo'], ({ world, repo, params }) => {
    const run = repo.runs.get(Number(params.run));
    if (!run) return [404, notFound()];
    if (run.status !== 'completed') return [403, { message: 'This workflow is already running', documentation_url: docs }];
    Object.assign(run, { status: 'in_progress', conclusion: null, attempts: run.attempts + 1 });
    for (const issue of repo.issues.values()) if (issue.checks?.some((check) => check.run === run)) issue.updated_at = world.tick();
    return [201, {}];
  }],
];

const docs = 'https://docs.github.com/rest';
export const notFound = () => ({ message: 'Not Found', documentation_url: docs, status: '404' });
const wrong = (message, errors) => ({ message, ...(errors ? { errors } : {}), documentation_url: docs, status: '422' });
const limit = () => ({ limit: 5000, remaining: 4990, reset: Math.floor(Date.now() / 1000) + 3600, used: 10 });

function listThreads({ world, login, query, base, headers }) {
  const all = query.get('all') === 'true';
  const since = query.get('since') ?? '';
  const size = Math.min(Number(query.get('per_page') ?? 50), 50);
  const page = Number(query.get('page') ?? 1);
  const own = [...world.threads.values()].filter((thread) => thread.login === login && (all || (thread.unread && !thread.done)) && thread.updated_at > since);
  own.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  const newest = [...world.threads.values()].filter((thread) => thread.login === login).map((thread) => thread.updated_at).sort().at(-1);
  const modified = new Date(newest ?? 0).toUTCString();
  const common = { 'last-modified': modified, 'x-poll-interval': '60' };
  if (headers['if-modified-since'] === modified) return [304, null, common];
  const pages = Math.max(1, Math.ceil(own.length / size));
  const to = (n) => `<${base}/notifications?all=${all}&since=${since}&per_page=${size}&page=${n}>`;
  const links = [...(page < pages ? [`${to(page + 1)}; rel="next"`, `${to(pages)}; rel="last"`] : []), ...(page > 1 ? [`${to(page - 1)}; rel="prev"`, `${to(1)}; rel="first"`] : [])];
  const body = own.slice((page - 1) * size, page * size).map((thread) => toThread(world, thread, base));
  return [200, body, { ...common, ...(links.length > 0 ? { link: links.join(', ') } : {}) }];
}

function merge({ world, issue, body }) {
  if (issue.kind !== 'pull') return [404, notFound()];
  if (issue.merged || issue.state === 'closed') return [405, { message: 'Pull Request is not mergeable', documentation_url: docs }];
  if (body?.sha && body.sha !== issue.sha) return [409, { message: 'Head branch was modified. Review and try the merge again.', documentation_url: docs }];
  if (issue.mergeable === false) return [405, { message: 'Pull Request has merge conflicts', documentation_url: docs }];
  if (issue.draft) return [405, { message: 'Pull Request is still a draft', documentation_url: docs }];
  world.merge(issue);
  issue.method = body?.merge_method ?? 'merge';
  return [200, { sha: world.sha(), merged: true, message: 'Pull Request successfully merged' }];
}

function review({ world, issue, body, login, base }) {
  const states = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' };
  const state = states[body?.event];
  if (!state) return [422, wrong('Validation Failed')];
  if (issue.author === login && state !== 'COMMENTED') return [422, wrong('Unprocessable Entity', [`Can not ${state === 'APPROVED' ? 'approve' : 'request changes on'} your own pull request`])];
  if (state === 'CHANGES_REQUESTED' && !body.body) return [422, wrong('Unprocessable Entity', ['Body is too short'])];
  const made = world.review(issue, login, state, body.body ?? '');
  return [200, toReview(world, issue, made, base)];
}
