import type { GitBranch, GitOperation, GitState, GitWorktree, InboxItemInput } from "@devrig/sdk";
import type { Settings } from "./settings.ts";
import { code, commands, commits, count, paragraphs, plain, word } from "./text.ts";

/** What an item of ours remembers of where it comes from. */
export interface Origin {
  repository: string;
  remote?: string;
}

/** Everything in a repository that waits for the person. Pure: the state, the settings, the time. */
export function conditions(state: GitState, settings: Settings, now: Date): InboxItemInput[] {
  return [
    operation(state),
    ...state.branches.map((branch) => branchItem(state, branch)),
    uncommitted(state, settings, now),
    stashes(state),
  ].filter((item) => item !== undefined);
}

/** Every item of a repository begins like this. */
export function itemPrefix(repository: string): string {
  return `${repository}#`;
}

function base(state: GitState, kind: string, detail = ""): Pick<InboxItemInput, "externalId" | "threadKey" | "repo" | "state"> {
  return {
    externalId: `${itemPrefix(state.path)}${kind}${detail === "" ? "" : `:${detail}`}`,
    threadKey: state.path,
    repo: state.name,
    state: "open",
  };
}

function metadata(state: GitState, branch?: GitBranch): Record<string, unknown> {
  const followed = branch?.upstream?.name;
  const remote = state.remotes.find(({ name }) => followed?.startsWith(`${name}/`))?.name;
  return { repository: state.path, ...(branch && { branch: branch.name }), ...(remote && { remote }) } satisfies Record<string, unknown> & Origin;
}

// ---- branches ----

function branchItem(state: GitState, branch: GitBranch): InboxItemInput | undefined {
  const upstream = branch.upstream;
  if (upstream === null) return undefined;
  if (upstream.gone) return gone(state, branch, upstream.name);
  const { ahead, behind, more } = upstream;
  if (ahead === 0 && behind === 0) return undefined;
  const plus = more ? "+" : "";
  const position =
    behind === 0 ? `${ahead}${plus} ahead of` : `${ahead > 0 ? `${ahead}${plus} ahead, ` : ""}${behind}${plus} behind`;
  // The local tip for what is ours, the remote's for what is theirs: real times, whenever we look.
  const times = [ahead > 0 && branch.tip.time, behind > 0 && upstream.tip?.time].filter((time) => typeof time === "string");
  const current = state.head.branch === branch.name;
  return {
    ...base(state, "branch", branch.name),
    type: "branch",
    title: `${branch.name} is ${position} ${upstream.name}`,
    body: paragraphs(
      ahead > 0 && `**${count(ahead, "commit", more)} to push**\n\n${commits(upstream.aheadCommits, ahead)}`,
      behind > 0 && `**${count(behind, "commit", more)} to pull**\n\n${commits(upstream.behindCommits, behind)}`,
      commands(state.path, ...branchCommands(branch, current)),
    ),
    reason: ahead > 0 && behind > 0 ? "diverged" : ahead > 0 ? "ahead" : "behind",
    isActionable: true,
    priority: behind > 0 && ahead === 0 ? "low" : "normal",
    actor: ahead > 0 ? branch.tip.author : (upstream.tip?.author ?? branch.tip.author),
    externalUpdatedAt: latest(times),
    metadata: { ...metadata(state, branch), ahead, behind, upstream: upstream.name },
  };
}

function branchCommands(branch: GitBranch, current: boolean): string[] {
  const { ahead = 0, behind = 0 } = branch.upstream ?? {};
  const checkout = current ? [] : [`git switch ${word(branch.name)}`];
  if (ahead > 0 && behind > 0) return [...checkout, "git pull --rebase", "git push"];
  return [...checkout, ahead > 0 ? "git push" : "git pull --ff-only"];
}

function gone(state: GitState, branch: GitBranch, upstream: string): InboxItemInput {
  const start = state.defaultBranch ?? "main";
  const current = state.head.branch === branch.name;
  return {
    ...base(state, "gone", branch.name),
    type: "branch",
    title: `${branch.name}: its upstream ${upstream} is gone`,
    body: paragraphs(
      `${code(upstream)} was deleted, often because it was merged. The last commit here is ${code(branch.tip.id.slice(0, 7))} ${plain(branch.tip.subject)}.`,
      `Delete the branch if it was merged; git refuses when it was not:`,
      commands(state.path, ...(current ? [`git switch ${word(start)}`] : []), `git branch -d ${word(branch.name)}`),
    ),
    reason: "upstream_gone",
    isActionable: true,
    priority: "low",
    actor: branch.tip.author,
    externalUpdatedAt: branch.tip.time,
    metadata: { ...metadata(state, branch), upstream },
  };
}

// ---- the work tree ----

function uncommitted(state: GitState, settings: Settings, now: Date): InboxItemInput | undefined {
  const { worktree } = state;
  // An operation has changes of its own, and an item of its own.
  if (state.operation !== null && state.operation.kind !== "bisect") return undefined;
  const untracked = settings.includeUntracked ? worktree.untracked : 0;
  const all = worktree.staged + worktree.modified + untracked + worktree.conflicted;
  const changed = worktree.newestChange;
  if (all === 0 || changed === null) return undefined;
  const conflicted = worktree.conflicted > 0;
  const since = worktree.oldestChange ?? changed;
  const age = now.getTime() - Date.parse(since);
  if (!conflicted && age < settings.staleAfterHours * 3_600_000) return undefined;
  const branch = state.head.branch ?? "a detached commit";
  return {
    ...base(state, "uncommitted"),
    type: "uncommitted",
    title: conflicted
      ? `${count(worktree.conflicted, "conflict")} on ${branch} in ${state.name}`
      : `Uncommitted work on ${branch} in ${state.name}`,
    body: paragraphs(
      counts(worktree, untracked),
      files(worktree, settings.includeUntracked),
      commands(state.path, "git status", "git add -A && git commit"),
    ),
    reason: conflicted ? "conflicts" : "uncommitted",
    isActionable: true,
    priority: conflicted ? "high" : "normal",
    externalCreatedAt: since,
    // Work that was marked done stays so while it goes on; new work after a commit is another.
    externalUpdatedAt: conflicted ? changed : since,
    metadata: metadata(state),
  };
}

function counts(worktree: GitWorktree, untracked: number): string {
  const parts = [
    worktree.conflicted > 0 && `${worktree.conflicted} conflicted`,
    worktree.staged > 0 && `${worktree.staged} staged`,
    worktree.modified > 0 && `${worktree.modified} changed`,
    untracked > 0 && `${untracked} untracked`,
  ].filter(Boolean);
  return `${parts.join(", ")}${worktree.more ? ", and more" : ""}.`;
}

function files(worktree: GitWorktree, includeUntracked: boolean): string {
  const shown = worktree.files.filter((file) => includeUntracked || file.state !== "untracked");
  const rows = shown.map((file) => `- ${code(file.path)} ${file.state}`);
  return rows.join("\n");
}

// ---- stashes ----

function stashes(state: GitState): InboxItemInput | undefined {
  const newest = state.stashes[0];
  if (newest === undefined) return undefined;
  const rows = state.stashes
    .slice(0, 20)
    .map((stash) => `- ${code(`stash@{${stash.index}}`)} ${plain(stash.message)} (${stash.time.slice(0, 10)})`);
  if (state.stashes.length > rows.length) rows.push(`- and ${state.stashes.length - rows.length} more`);
  return {
    ...base(state, "stash"),
    type: "stash",
    title: `${state.stashes.length === 1 ? "1 stash" : `${state.stashes.length} stashes`} in ${state.name}`,
    body: paragraphs(rows.join("\n"), commands(state.path, "git stash show -p stash@{0}", "git stash pop")),
    reason: "stash",
    isActionable: false,
    priority: "low",
    externalUpdatedAt: newest.time,
    metadata: metadata(state),
  };
}

// ---- merges, rebases and the like ----

const WORDS: Record<GitOperation["kind"], { title: string; go: string; stop: string }> = {
  merge: { title: "Merge", go: "git merge --continue", stop: "git merge --abort" },
  rebase: { title: "Rebase", go: "git rebase --continue", stop: "git rebase --abort" },
  cherryPick: { title: "Cherry-pick", go: "git cherry-pick --continue", stop: "git cherry-pick --abort" },
  revert: { title: "Revert", go: "git revert --continue", stop: "git revert --abort" },
  bisect: { title: "Bisect", go: "git bisect good  # or: git bisect bad", stop: "git bisect reset" },
  am: { title: "Patches", go: "git am --continue", stop: "git am --abort" },
};

function operation(state: GitState): InboxItemInput | undefined {
  const running = state.operation;
  if (running === null) return undefined;
  const words = WORDS[running.kind];
  const { conflicted } = state.worktree;
  return {
    ...base(state, "operation", running.kind),
    type: "operation",
    title: `${subject(state, running)} ${conflicted > 0 ? `has ${count(conflicted, "conflict")}` : "is unfinished"} in ${state.name}`,
    body: paragraphs(
      running.commit !== null && `At ${code(running.commit.id.slice(0, 7))} ${plain(running.commit.subject)}.`,
      conflicted > 0 && `**${count(conflicted, "file")} with conflicts**`,
      files(state.worktree, false),
      `Go on, or take it back:`,
      commands(state.path, "git status", words.go, words.stop),
    ),
    reason: conflicted > 0 ? "conflicts" : "unfinished",
    isActionable: true,
    priority: "high",
    externalUpdatedAt: running.since ?? state.worktree.newestChange ?? state.head.commit?.time,
    metadata: { ...metadata(state), operation: running.kind },
  };
}

/** `Merge of topic`, `Rebase of topic onto 1234567 (3/7)`. */
function subject(state: GitState, running: GitOperation): string {
  const of = running.kind === "merge" ? running.target : running.kind === "rebase" ? running.branch : null;
  const picked = running.commit?.subject;
  const what = of ?? (running.kind === "cherryPick" || running.kind === "revert" ? picked && `“${picked}”` : null);
  const into = running.kind === "merge" && state.head.branch !== null ? ` into ${state.head.branch}` : "";
  const step = running.step !== null && running.total !== null ? ` (${running.step}/${running.total})` : "";
  return `${WORDS[running.kind].title}${what ? ` of ${what}` : ""}${into}${step}`;
}

function latest(times: string[]): string | undefined {
  return times.sort().at(-1);
}
