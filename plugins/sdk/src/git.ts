/**
 * Local repositories, in the folders that were granted. Reading runs nothing: no hook, filter or
 * other command that a repository's configuration names.
 */
export interface Git {
  /**
   * The repositories in a folder and below it, sorted. Hidden folders, `node_modules` and the like
   * are passed over, and so is what lies inside a repository. Needs `git:read:<folder>`.
   */
  discover(folder: string, options?: { depth?: number }): Promise<{ repositories: string[] }>;
  /** Needs `git:read:<folder>` for a folder that holds the repository. */
  state(repository: string): Promise<GitState>;
  /**
   * Fetches a remote with the person's own credentials, asking nothing: the named one, else the
   * one that the present branch follows, else `origin`, else the only one. Needs
   * `git:fetch:<folder>` for a folder that holds the repository.
   */
  fetch(repository: string, options?: string | { remote?: string }): Promise<null>;
}

/** Everything worth knowing about one repository. Times are RFC 3339, in UTC. */
export interface GitState {
  /** Where the work tree is. */
  path: string;
  /** The folder's name. */
  name: string;
  head: GitHead;
  /** The branch that others start from: what `origin/HEAD` names, else `main` or `master`. */
  defaultBranch: string | null;
  /** Local branches, sorted by name. */
  branches: GitBranch[];
  /** There are more branches than were read. */
  moreBranches: boolean;
  worktree: GitWorktree;
  /** The newest first. */
  stashes: GitStash[];
  /** What was begun and not ended. */
  operation: GitOperation | null;
  /** Sorted by name. */
  remotes: GitRemote[];
  lastFetch: string | null;
}

export interface GitHead {
  /** Null when detached. */
  branch: string | null;
  detached: boolean;
  /** Null before the first commit. */
  commit: GitCommit | null;
}

export interface GitCommit {
  /** The whole id, in hexadecimal. */
  id: string;
  /** The first line of the message. */
  subject: string;
  author: string;
  /** When it was committed. */
  time: string;
}

export interface GitBranch {
  name: string;
  tip: GitCommit;
  upstream: GitUpstream | null;
}

/** How a branch compares with what it follows. */
export interface GitUpstream {
  /** Such as `origin/main`. */
  name: string;
  /** Configured, and not there any more. */
  gone: boolean;
  /** Commits that only the branch has. */
  ahead: number;
  /** Commits that only the upstream has. */
  behind: number;
  /** Counting stopped at a limit: the numbers are lower bounds. */
  more: boolean;
  tip: GitCommit | null;
  /** The newest of them, at most ten. */
  aheadCommits: GitCommit[];
  /** The newest of them, at most ten. */
  behindCommits: GitCommit[];
}

/** Uncommitted work. Submodules are left out. */
export interface GitWorktree {
  /** Paths that differ between the last commit and the index. */
  staged: number;
  /** Tracked paths that differ between the index and the disk, deleted ones included. */
  modified: number;
  /** Untracked files, and folders that hold nothing else. */
  untracked: number;
  /** Paths with an unresolved conflict; counted nowhere else. */
  conflicted: number;
  /** Counting stopped at a limit. */
  more: boolean;
  /** Examples, conflicts first, at most twenty. */
  files: GitChangedFile[];
  /** Of the changed files on disk. */
  oldestChange: string | null;
  newestChange: string | null;
}

export interface GitChangedFile {
  /** Relative to the repository, with `/`. */
  path: string;
  state: "conflicted" | "staged" | "modified" | "deleted" | "untracked";
}

export interface GitStash {
  /** As in `stash@{0}`. */
  index: number;
  message: string;
  time: string;
  /** The branch that it was made on. */
  branch: string | null;
}

/** A merge, rebase or the like that waits for the person. */
export interface GitOperation {
  kind: "merge" | "rebase" | "cherryPick" | "revert" | "bisect" | "am";
  /** The branch that is rebased, or that a bisection started from. */
  branch: string | null;
  /** What is merged, or the commit that a rebase goes onto. */
  target: string | null;
  /** The commit being applied. */
  commit: GitCommit | null;
  /** As in 3 of 7. */
  step: number | null;
  total: number | null;
  /** When it came to its present step. */
  since: string | null;
}

export interface GitRemote {
  name: string;
  /** Without user information. */
  url: string;
}
