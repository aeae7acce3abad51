// What the world looks like over REST: whole objects, as GitHub's description requires them. The
// addresses of what no client of ours asks for are made after one pattern.

const WEB = 'https://github.com';
const HASH = 'a'.repeat(40);

const links = (base, names) => Object.fromEntries(names.map((name) => [`${name}_url`, `${base}/${name.replaceAll('_', '-')}`]));

const USER_LINKS = ['followers', 'following', 'gists', 'starred', 'subscriptions', 'organizations', 'repos', 'events', 'received_events'];

export function simpleUser(world, login, base) {
  const url = `${base}/users/${login}`;
  return {
    login, id: world.users.get(login)?.id ?? 1, node_id: `U_${login}`, avatar_url: `${WEB}/${login}.png`, gravatar_id: '', type: 'User', site_admin: false, url,
    html_url: `${WEB}/${login}`, ...links(url, USER_LINKS),
  };
}

export function fullUser(world, login, base) {
  return {
    ...simpleUser(world, login, base), name: world.users.get(login).name, company: null, blog: null, location: null, email: null, hireable: null, bio: null,
    public_repos: 2, public_gists: 0, followers: 1, following: 1, created_at: '2020-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z', private_gists: 0,
    total_private_repos: 1, owned_private_repos: 1, disk_usage: 1, collaborators: 1, two_factor_authentication: true,
  };
}

const REPO_LINKS = [
  'archive', 'assignees', 'blobs', 'branches', 'collaborators', 'comments', 'commits', 'compare', 'contents', 'contributors', 'deployments', 'downloads', 'events', 'forks',
  'git_commits', 'git_refs', 'git_tags', 'hooks', 'issue_comment', 'issue_events', 'issues', 'keys', 'labels', 'languages', 'merges', 'milestones', 'notifications', 'pulls',
  'releases', 'stargazers', 'statuses', 'subscribers', 'subscription', 'tags', 'teams', 'trees',
];

function minimalRepository(world, repo, base) {
  const url = `${base}/repos/${repo.full_name}`;
  return {
    id: repo.id, node_id: `R_${repo.id}`, name: repo.name, full_name: repo.full_name, owner: { ...simpleUser(world, repo.owner, base), type: 'Organization' }, private: repo.private,
    html_url: `${WEB}/${repo.full_name}`, description: null, fork: false, url, ...links(url, REPO_LINKS),
  };
}

/** A repository as the two ends of a pull request carry it. */
function repository(world, repo, base) {
  const at = '2026-01-01T00:00:00Z';
  return {
    ...minimalRepository(world, repo, base), archived: false, clone_url: `${WEB}/${repo.full_name}.git`, created_at: at, default_branch: 'main', disabled: false, forks: 0,
    forks_count: 0, git_url: `git://github.com/${repo.full_name}.git`, has_downloads: true, has_issues: true, has_pages: false, has_projects: true, has_wiki: true, homepage: null,
    language: null, license: null, mirror_url: null, open_issues: repo.issues.size, open_issues_count: repo.issues.size, pushed_at: at, size: 1,
    ssh_url: `git@github.com:${repo.full_name}.git`, stargazers_count: 0, svn_url: `${WEB}/${repo.full_name}`, updated_at: at, watchers: 0, watchers_count: 0,
  };
}

export function toThread(world, thread, base) {
  const { subject, repo } = thread;
  const kind = subject.kind === 'pull' ? 'pulls' : 'issues';
  const url = `${base}/notifications/threads/${thread.id}`;
  const of = `${base}/repos/${repo.full_name}/${kind}/${subject.number}`;
  return {
    id: thread.id, unread: thread.unread, reason: thread.reason, updated_at: thread.updated_at, last_read_at: thread.last_read_at,
    subject: { title: subject.title, url: of, latest_comment_url: of, type: subject.kind === 'pull' ? 'PullRequest' : 'Issue' },
    repository: minimalRepository(world, repo, base), url, subscription_url: `${url}/subscription`,
  };
}

export function toSubscription(thread, base, ignored) {
  const url = `${base}/notifications/threads/${thread.id}`;
  return { subscribed: !ignored, ignored, reason: null, created_at: thread.updated_at, url: `${url}/subscription`, thread_url: url };
}

export const toLabel = (name, repo, base) => ({
  id: 1, node_id: `L_${name}`, url: `${base}/repos/${repo.full_name}/labels/${encodeURIComponent(name)}`, name, description: null, color: 'ededed', default: false,
});

export function toIssue(world, issue, base) {
  const { repo } = issue;
  const url = `${base}/repos/${repo.full_name}/issues/${issue.number}`;
  const assignees = issue.assignees.map((login) => simpleUser(world, login, base));
  return {
    id: repo.id * 1000 + issue.number, node_id: issue.node, number: issue.number, title: issue.title, body: issue.body, state: issue.state, state_reason: issue.state_reason, locked: false,
    user: simpleUser(world, issue.author, base), labels: issue.labels.map((name) => toLabel(name, repo, base)), assignee: assignees[0] ?? null, assignees, milestone: null,
    comments: issue.comments.length, created_at: issue.created_at, updated_at: issue.updated_at, closed_at: issue.state === 'closed' ? issue.updated_at : null, author_association: 'MEMBER',
    url, html_url: `${WEB}/${repo.full_name}/issues/${issue.number}`, repository_url: `${base}/repos/${repo.full_name}`, labels_url: `${url}/labels{/name}`,
    ...links(url, ['comments', 'events']),
  };
}

export function toComment(world, issue, comment, base) {
  const { full_name } = issue.repo;
  const issueUrl = `${base}/repos/${full_name}/issues/${issue.number}`;
  return {
    id: comment.id, node_id: `IC_${comment.id}`, url: `${base}/repos/${full_name}/issues/comments/${comment.id}`, body: comment.body, user: simpleUser(world, comment.login, base),
    html_url: `${WEB}/${full_name}/issues/${issue.number}#issuecomment-${comment.id}`, issue_url: issueUrl, created_at: comment.at, updated_at: comment.at, author_association: 'MEMBER',
  };
}

/** A pull request as lists carry it, without its sizes and whether it can be merged. */
export function toPullSummary(world, pull, base) {
  const { repo } = pull;
  const { state_reason: _, labels_url: __, events_url: ___, repository_url: ____, comments: _____, ...issue } = toIssue(world, pull, base);
  const url = `${base}/repos/${repo.full_name}/pulls/${pull.number}`;
  const html = `${WEB}/${repo.full_name}/pull/${pull.number}`;
  const end = (ref, sha) => ({ label: `${repo.owner}:${ref}`, ref, sha, user: simpleUser(world, repo.owner, base), repo: repository(world, repo, base) });
  const link = (href) => ({ href });
  return {
    ...issue, draft: pull.draft, merged_at: pull.merged ? pull.updated_at : null, merge_commit_sha: pull.merged ? HASH : null, auto_merge: null, url, html_url: html,
    diff_url: `${html}.diff`, patch_url: `${html}.patch`, issue_url: issue.url, ...links(url, ['commits', 'review_comments', 'review_comment', 'statuses']),
    head: end(pull.head, pull.sha), base: end(pull.base, HASH),
    requested_reviewers: pull.reviewers.map((login) => simpleUser(world, login, base)), requested_teams: [],
    _links: Object.fromEntries(['self', 'html', 'issue', 'comments', 'review_comments', 'review_comment', 'commits', 'statuses'].map((name) => [name, link(`${url}/${name}`)])),
  };
}

export function toPull(world, pull, base) {
  return {
    ...toPullSummary(world, pull, base), merged: pull.merged, mergeable: pull.mergeable, mergeable_state: pull.mergeable === false ? 'dirty' : 'clean', rebaseable: pull.mergeable,
    merged_by: pull.merged ? simpleUser(world, pull.author, base) : null, comments: pull.comments.length, review_comments: 0, commits: 1, additions: pull.additions,
    deletions: pull.deletions, changed_files: pull.files, maintainer_can_modify: false,
  };
}

export function toReview(world, pull, review, base) {
  const { full_name } = pull.repo;
  const html = `${WEB}/${full_name}/pull/${pull.number}#pullrequestreview-${review.id}`;
  const of = `${base}/repos/${full_name}/pulls/${pull.number}`;
  return {
    id: review.id, node_id: `PRR_${review.id}`, user: simpleUser(world, review.login, base), body: review.body, state: review.state, html_url: html, pull_request_url: of,
    submitted_at: review.at, commit_id: review.sha, author_association: 'MEMBER', _links: { html: { href: html }, pull_request: { href: of } },
  };
}
