// What the fake GitHub knows: people, repositories, pull requests, issues, threads. REST and GraphQL
// both read and write it, so that a merge over one shows in the other.

/** Time moves by a second with each change, so that orders are stable. */
export class World {
  constructor({ now = Date.parse('2026-11-01T09:00:00Z') } = {}) {
    this.time = now;
    this.users = new Map();
    this.tokens = new Map();
    this.repos = new Map();
    this.renamed = new Map();
    this.threads = new Map();
    this.subscriptions = new Map();
    this.nextId = 1000;
    this.labels = new Set(['bug', 'enhancement', 'documentation']);
  }

  tick() {
    this.time += 1000;
    return new Date(this.time).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  id() {
    return ++this.nextId;
  }

  addUser(login, name = null) {
    const user = { login, name, id: this.id(), type: 'User' };
    this.users.set(login, user);
    return user;
  }

  /** `scopes` is what X-OAuth-Scopes says; `state` may become "expired" or "sso". */
  addToken(token, login, scopes = ['notifications', 'repo', 'read:org']) {
    this.tokens.set(token, { login, scopes, state: 'good' });
  }

  addRepo(fullName, { isPrivate = false } = {}) {
    const [owner, name] = fullName.split('/');
    const repo = { id: this.id(), full_name: fullName, owner, name, private: isPrivate, issues: new Map(), runs: new Map(), next: 1 };
    this.repos.set(fullName.toLowerCase(), repo);
    return repo;
  }

  /** The repository by its present or an earlier name. */
  repo(fullName) {
    const key = fullName.toLowerCase();
    return this.repos.get(key) ?? this.repos.get(this.renamed.get(key) ?? '');
  }

  rename(from, to) {
    const repo = this.repo(from);
    this.repos.delete(from.toLowerCase());
    this.renamed.set(from.toLowerCase(), to.toLowerCase());
    [repo.owner, repo.name] = to.split('/');
    repo.full_name = to;
    this.repos.set(to.toLowerCase(), repo);
  }

  addIssue(fullName, fields = {}) {
    const repo = this.repo(fullName);
    const number = repo.next++;
    const at = this.tick();
    const issue = {
      kind: 'issue', repo, number, node: `I_${repo.id}_${number}`, title: `Issue ${number}`, body: '', author: 'octo', state: 'open', state_reason: null,
      labels: [], assignees: [], comments: [], created_at: at, updated_at: at, ...fields,
    };
    repo.issues.set(number, issue);
    return issue;
  }

  addPull(fullName, fields = {}) {
    const pull = this.addIssue(fullName, {
      title: `Pull ${this.repo(fullName).next}`, head: 'feature', base: 'main', sha: this.sha(), draft: false, merged: false, mergeable: true, reviews: [],
      reviewers: [], teams: [], checks: [], additions: 10, deletions: 2, files: 3, ...fields,
    });
    pull.kind = 'pull';
    pull.node = `PR_${pull.repo.id}_${pull.number}`;
    return pull;
  }

  sha() {
    return this.id().toString(16).padStart(40, 'a');
  }

  push(pull) {
    pull.sha = this.sha();
    pull.updated_at = this.tick();
    pull.checks = [];
  }

  /** A check of the pull request's head; a failed one belongs to a workflow run. */
  addCheck(pull, name, conclusion) {
    const run = { id: this.id(), status: 'completed', conclusion, attempts: 1, name };
    pull.repo.runs.set(run.id, run);
    pull.checks = [...pull.checks.filter((check) => check.name !== name), { name, run }];
    pull.updated_at = this.tick();
    return run;
  }

  /** A thread in the inbox of a person. */
  notify(login, subject, reason) {
    const at = this.tick();
    subject.updated_at = at;
    const known = [...this.threads.values()].find((thread) => thread.subject === subject && thread.login === login);
    const thread = known ?? { id: String(this.id()), login, subject, repo: subject.repo };
    Object.assign(thread, { reason, unread: true, done: false, updated_at: at, last_read_at: thread.last_read_at ?? null });
    this.threads.set(thread.id, thread);
    return thread;
  }

  comment(issue, login, body) {
    const comment = { id: this.id(), login, body, at: this.tick() };
    issue.comments.push(comment);
    issue.updated_at = comment.at;
    return comment;
  }

  review(pull, login, state, body = '') {
    const review = { id: this.id(), login, state, body, at: this.tick(), sha: pull.sha };
    pull.reviews.push(review);
    pull.reviewers = pull.reviewers.filter((one) => one !== login);
    pull.updated_at = review.at;
    return review;
  }

  merge(pull) {
    Object.assign(pull, { merged: true, state: 'closed', updated_at: this.tick() });
    this.touch(pull);
  }

  close(issue, reason = 'completed') {
    Object.assign(issue, { state: 'closed', state_reason: reason, updated_at: this.tick() });
    this.touch(issue);
  }

  reopen(issue) {
    Object.assign(issue, { state: 'open', state_reason: 'reopened', updated_at: this.tick() });
    this.touch(issue);
  }

  /** What happens to a subject shows in its threads. */
  touch(subject) {
    for (const thread of this.threads.values()) if (thread.subject === subject) thread.updated_at = subject.updated_at;
  }
}

/** A small world to begin with: one person, two repositories, something of each kind. */
export function smallWorld() {
  const world = new World();
  world.addUser('kim', 'Kim Example');
  world.addUser('octo', 'Octo Example');
  world.addToken('ghp_good', 'kim');
  world.addRepo('acme/api');
  world.addRepo('acme/web', { isPrivate: true });
  const review = world.addPull('acme/api', { title: 'Retry on 429', body: 'Waits as long as the server asks.', author: 'octo', reviewers: ['kim'] });
  world.notify('kim', review, 'review_requested');
  const mine = world.addPull('acme/web', { title: 'Dark mode', author: 'kim' });
  world.addCheck(mine, 'build', 'failure');
  const issue = world.addIssue('acme/api', { title: 'Crash on empty body', assignees: ['kim'], labels: ['bug'] });
  world.comment(issue, 'octo', 'It happens with every empty body.');
  world.notify('kim', issue, 'assign');
  return world;
}

/** Many threads, for figures: `count` of them, the newest first to be asked for. */
export function largeWorld(count) {
  const world = smallWorld();
  world.time = Date.now() - count * 2000 - 60_000;
  for (let n = 0; n < count; n++) {
    const make = n % 3 === 0 ? 'addIssue' : 'addPull';
    const subject = world[make](n % 2 === 0 ? 'acme/api' : 'acme/web', { title: `Thing number ${n}`, body: `What number ${n} is about, in some words that can be searched.` });
    world.notify('kim', subject, n % 5 === 0 ? 'review_requested' : 'subscribed');
  }
  return world;
}
