import type { GitBranch, GitCommit, GitOperation, GitState, GitWorktree } from "@devrig/sdk";

/** The states that tests start from. */
export function commit(subject: string, time = "2026-11-18T10:00:00.000Z"): GitCommit {
  return { id: subject.padEnd(40, "0").replace(/[^0-9a-f]/g, "a"), subject, author: "Ada Lovelace", time };
}

export function branch(name: string, ahead = 0, behind = 0, change: Partial<GitBranch> = {}): GitBranch {
  const list = (number: number, what: string) => Array.from({ length: Math.min(number, 10) }, (_, n) => commit(`${what} ${n + 1}`));
  return {
    name,
    tip: commit("ours", "2026-11-18T10:00:00.000Z"),
    upstream: {
      name: `origin/${name}`,
      gone: false,
      ahead,
      behind,
      more: false,
      tip: commit("theirs", "2026-11-19T10:00:00.000Z"),
      aheadCommits: list(ahead, "mine"),
      behindCommits: list(behind, "theirs"),
    },
    ...change,
  };
}

export const CLEAN: GitWorktree = {
  staged: 0,
  modified: 0,
  untracked: 0,
  conflicted: 0,
  more: false,
  files: [],
  oldestChange: null,
  newestChange: null,
};

export function operation(change: Partial<GitOperation>): GitOperation {
  return { kind: "merge", branch: null, target: null, commit: null, step: null, total: null, since: "2026-11-19T08:00:00.000Z", ...change };
}

export function repository(path: string, change: Partial<GitState> = {}): GitState {
  return {
    path,
    name: path.split("/").at(-1) ?? "",
    head: { branch: "main", detached: false, commit: commit("ours") },
    defaultBranch: "main",
    branches: [branch("main")],
    moreBranches: false,
    worktree: CLEAN,
    stashes: [],
    operation: null,
    remotes: [{ name: "origin", url: "https://example.com/a.git" }],
    lastFetch: null,
    ...change,
  };
}
