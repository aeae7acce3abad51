import { readFileSync } from "node:fs";
import { createFakeHost, FakeError, type FakeHost } from "@devrig/sdk/testing";
import type { GitState, PluginManifest } from "@devrig/sdk";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import plugin from "../src/index.ts";
import { branch, CLEAN, commit, operation, repository } from "./repositories.ts";

const manifest = JSON.parse(readFileSync(new URL("../devrig-plugin.json", import.meta.url), "utf8")) as PluginManifest;
const SOURCE = "git.repositories";

let repositories: Record<string, GitState | (() => GitState)>;

async function start(settings: Record<string, unknown> = {}, grants?: string[]): Promise<FakeHost> {
  const git = { repositories };
  return createFakeHost({ manifest, settings: { folders: ["/code"], ...settings }, grants, git }).start(plugin);
}

const open = (host: FakeHost) => host.items.filter((item) => item.state === "open");
const only = (host: FakeHost) => {
  expect(host.items).toHaveLength(1);
  return host.items[0]!;
};

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-20T12:00:00Z") });
  repositories = {};
});
afterEach(() => void vi.useRealTimers());

describe("what becomes an item", () => {
  test("a repository with nothing to do gives none", async () => {
    repositories["/code/a"] = repository("/code/a");
    const host = await start();
    expect(await host.sync(SOURCE)).toMatchObject({ itemCount: 0, hasMore: false });
    expect(host.items).toEqual([]);
  });

  test.each([
    [3, 1, "main is 3 ahead, 1 behind origin/main", "diverged", ["git pull --rebase", "git push"], "2026-11-19T10:00:00.000Z"],
    [3, 0, "main is 3 ahead of origin/main", "ahead", ["git push"], "2026-11-18T10:00:00.000Z"],
    [0, 12, "main is 12 behind origin/main", "behind", ["git pull --ff-only"], "2026-11-19T10:00:00.000Z"],
  ])("a branch %i ahead and %i behind", async (ahead, behind, title, reason, commands, updated) => {
    repositories["/code/my repo"] = repository("/code/my repo", { branches: [branch("main", ahead, behind)] });
    const host = await start();
    await host.sync(SOURCE);
    const item = only(host);
    expect(item).toMatchObject({
      externalId: "/code/my repo#branch:main",
      type: "branch",
      title,
      reason,
      state: "open",
      repo: "my repo",
      threadKey: "/code/my repo",
      externalUpdatedAt: updated,
      metadata: { repository: "/code/my repo", branch: "main", remote: "origin" },
    });
    expect(item.body).toContain("cd '/code/my repo'");
    for (const command of commands) expect(item.body).toContain(`\n${command}\n`);
    if (ahead > 0) expect(item.body).toContain("mine 1");
    if (behind > 10) expect(item.body).toContain("- and 2 more");
  });

  test("another branch than the present one is switched to first", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("feature/x", 1)] });
    const host = await start();
    await host.sync(SOURCE);
    expect(only(host).body).toContain("git switch feature/x\ngit push");
  });

  test("an upstream that is gone", async () => {
    const gone = branch("topic");
    gone.upstream!.gone = true;
    gone.upstream!.tip = null;
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main"), gone] });
    const host = await start();
    await host.sync(SOURCE);
    expect(only(host)).toMatchObject({ title: "topic: its upstream origin/topic is gone", priority: "low", type: "branch" });
    expect(only(host).body).toContain("git branch -d topic");
  });

  const dirty = { ...CLEAN, modified: 1, untracked: 2, files: [{ path: "src/a.ts", state: "modified" as const }, { path: "x", state: "untracked" as const }] };
  const old = "2026-11-19T11:00:00.000Z";

  test("uncommitted work, once it is a day old", async () => {
    repositories["/code/a"] = repository("/code/a", { worktree: { ...dirty, oldestChange: old, newestChange: "2026-11-20T11:00:00.000Z" } });
    const host = await start();
    await host.sync(SOURCE);
    expect(only(host)).toMatchObject({
      type: "uncommitted",
      title: "Uncommitted work on main in a",
      externalUpdatedAt: old,
    });
    expect(only(host).body).toContain("1 changed, 2 untracked.");
    expect(only(host).body).toContain("- `src/a.ts` modified");
    vi.setSystemTime(new Date("2026-11-20T10:00:00Z"));
    const earlier = await start();
    await earlier.sync(SOURCE);
    expect(earlier.items, "23 hours are no day").toEqual([]);
  });

  test("settings decide on age and untracked files", async () => {
    const worktree = { ...CLEAN, untracked: 2, files: [{ path: "x", state: "untracked" as const }], oldestChange: old, newestChange: old };
    repositories["/code/a"] = repository("/code/a", { worktree });
    const [late, tracked] = [await start({ staleAfterHours: 48 }), await start({ includeUntracked: false })];
    await late.sync(SOURCE);
    await tracked.sync(SOURCE);
    expect([...late.items, ...tracked.items]).toEqual([]);
  });

  test("stashes are one item for a repository", async () => {
    const stash = (index: number, message: string) => ({ index, message, time: `2026-11-1${8 - index}T00:00:00.000Z`, branch: "main" });
    repositories["/code/a"] = repository("/code/a", { stashes: [stash(0, "On main: *half* done"), stash(1, "WIP on main")] });
    const host = await start();
    await host.sync(SOURCE);
    expect(only(host)).toMatchObject({ externalId: "/code/a#stash", type: "stash", title: "2 stashes in a", externalUpdatedAt: "2026-11-18T00:00:00.000Z" });
    expect(only(host).body).toContain("`stash@{0}` On main: \\*half\\* done (2026-11-18)");
  });

  test.each([
    [operation({ target: "topic" }), 2, "Merge of topic into main has 2 conflicts in a", "git merge --abort"],
    [operation({ kind: "rebase", branch: "topic", step: 3, total: 7 }), 0, "Rebase of topic (3/7) is unfinished in a", "git rebase --continue"],
    [operation({ kind: "cherryPick", commit: commit("fix it") }), 1, "Cherry-pick of “fix it” has 1 conflict in a", "git cherry-pick --abort"],
    [operation({ kind: "revert" }), 0, "Revert is unfinished in a", "git revert --continue"],
    [operation({ kind: "bisect", branch: "main" }), 0, "Bisect is unfinished in a", "git bisect reset"],
    [operation({ kind: "am", step: 1, total: 2 }), 0, "Patches (1/2) is unfinished in a", "git am --continue"],
  ])("an unfinished operation is urgent enough: $kind", async (running, conflicted, title, command) => {
    repositories["/code/a"] = repository("/code/a", { operation: running, worktree: { ...CLEAN, conflicted } });
    const host = await start();
    await host.sync(SOURCE);
    expect(only(host)).toMatchObject({ type: "operation", title, priority: "high", isActionable: true, externalUpdatedAt: running.since });
    expect(only(host).body).toContain(command);
  });
});

describe("over time", () => {
  test("an unchanged repository stores nothing and does not come back", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    const host = await start();
    const { cursor, itemCount } = await host.sync(SOURCE);
    expect(itemCount).toBe(1);
    host.markDone("/code/a#branch:main");
    vi.advanceTimersByTime(3_600_000);
    expect(await host.sync(SOURCE, { cursor })).toMatchObject({ cursor, itemCount: 0 });
    expect(await host.sync(SOURCE), "nor without a cursor").toMatchObject({ itemCount: 0 });
    expect(only(host).status).toBe("archived");
  });

  test("new commits bring a done item back", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    const host = await start();
    const { cursor } = await host.sync(SOURCE);
    host.markDone("/code/a#branch:main");
    const tip = commit("another", "2026-11-20T11:00:00.000Z");
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 2, 0, { tip })] });
    await host.sync(SOURCE, { cursor });
    expect(only(host)).toMatchObject({ status: "unread", title: "main is 2 ahead of origin/main" });
  });

  test("going on with work that was marked done does not bring it back", async () => {
    const state = (newestChange: string) =>
      repository("/code/a", { worktree: { ...CLEAN, modified: 1, files: [], oldestChange: "2026-11-18T00:00:00.000Z", newestChange } });
    repositories["/code/a"] = state("2026-11-18T00:00:00.000Z");
    const host = await start();
    const { cursor } = await host.sync(SOURCE);
    host.markDone("/code/a#uncommitted");
    repositories["/code/a"] = state("2026-11-20T11:59:00.000Z");
    await host.sync(SOURCE, { cursor });
    expect(only(host).status).toBe("archived");
  });

  test("what no longer holds is resolved, quietly", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    repositories["/code/b"] = repository("/code/b", { branches: [branch("main", 1)] });
    const host = await start();
    const { cursor } = await host.sync(SOURCE);
    const before = host.item("/code/a#branch:main")!;
    host.markDone(before.externalId);
    repositories["/code/a"] = repository("/code/a");
    delete repositories["/code/b"];
    expect(await host.sync(SOURCE, { cursor })).toMatchObject({ itemCount: 2 });
    expect(host.items.map(({ state, isActionable }) => [state, isActionable])).toEqual([["resolved", false], ["resolved", false]]);
    expect(host.item(before.externalId)).toMatchObject({ status: "archived", externalUpdatedAt: before.externalUpdatedAt, title: before.title });
    expect(await host.sync(SOURCE), "once").toMatchObject({ itemCount: 0 });
  });

  test("a broken repository is logged, its items stay, and the others go on", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    repositories["/code/b"] = repository("/code/b");
    const host = await start();
    const { cursor } = await host.sync(SOURCE);
    repositories["/code/a"] = () => {
      throw new FakeError("the repository /code/a cannot be read", { code: "INVALID_INPUT", hint: "Run `git fsck` there." });
    };
    repositories["/code/b"] = repository("/code/b", { branches: [branch("main", 2)] });
    await host.sync(SOURCE, { cursor });
    expect(open(host).map(({ externalId }) => externalId)).toEqual(["/code/a#branch:main", "/code/b#branch:main"]);
    expect(host.logs).toEqual([
      { level: "warn", message: "/code/a could not be read: the repository /code/a cannot be read", meta: { hint: "Run `git fsck` there." } },
    ]);
  });

  test("a folder that is missing costs nothing that was known", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    const host = await start({ folders: ["/code", "/gone"] }, ["inbox:write", "git:read:/code"]);
    await host.sync(SOURCE);
    expect(open(host)).toHaveLength(1);
    expect(host.logs[0]!.message).toContain("/gone could not be searched");
  });

  test("many items are stored in parts", async () => {
    const branches = Array.from({ length: 250 }, (_, n) => branch(`b${n}`, 1));
    repositories["/code/a"] = repository("/code/a", { branches });
    const host = await start();
    expect(await host.sync(SOURCE)).toMatchObject({ itemCount: 250 });
    repositories["/code/a"] = repository("/code/a");
    expect(await host.sync(SOURCE)).toMatchObject({ itemCount: 250 });
    expect(open(host)).toEqual([]);
  });
});

describe("permissions and actions", () => {
  test("nothing is read without a grant, and the person sees why", async () => {
    const host = await start({}, ["inbox:write"]);
    await expect(host.sync(SOURCE)).rejects.toMatchObject({
      code: "REFUSED",
      message: "plugin devrig-plugin-git-local: needs the permission git:read:/code",
    });
  });

  test("a fetch reads the repository again and updates the item", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    const host = createFakeHost({
      manifest,
      settings: { folders: ["/code"] },
      git: {
        repositories,
        fetch: () => void (repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1, 4)] })),
      },
    });
    await host.start(plugin);
    await host.sync(SOURCE);
    const result = await host.action("git.fetch", {}, { item: "/code/a#branch:main" });
    expect(result.success).toBe(true);
    expect(host.fetched).toEqual([{ repository: "/code/a", remote: "origin" }]);
    expect(only(host)).toMatchObject({ title: "main is 1 ahead, 4 behind origin/main", reason: "diverged" });
  });

  test("a fetch after which nothing is left resolves the item", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    const host = await start();
    await host.sync(SOURCE);
    repositories["/code/a"] = repository("/code/a");
    await host.action("git.fetch", {}, { item: "/code/a#branch:main" });
    expect(only(host)).toMatchObject({ state: "resolved", isActionable: false });
  });

  test("the folder is opened", async () => {
    repositories["/code/a"] = repository("/code/a", { branches: [branch("main", 1)] });
    const host = await start();
    await host.sync(SOURCE);
    expect(await host.action("git.open_folder", {}, { item: "/code/a#branch:main" })).toEqual({ success: true });
    expect(host.opened).toEqual(["/code/a"]);
  });

  test("an action without an item of ours says what to do", async () => {
    const host = await start();
    const result = await host.action("git.fetch");
    expect(result.error?.message).toContain("run the action on an item of Local Git");
  });
});

describe("what repositories call things", () => {
  test("names cannot break out of Markdown or of commands", async () => {
    const name = "x'; touch `pwned`";
    repositories["/code/a"] = repository("/code/a", {
      branches: [branch(name, 1, 0, { tip: commit("<img src=x> [a](javascript:b)") })],
      worktree: { ...CLEAN, modified: 1, files: [{ path: "a`b", state: "modified" }], oldestChange: "2026-11-01T00:00:00.000Z", newestChange: "2026-11-01T00:00:00.000Z" },
    });
    const host = await start();
    await host.sync(SOURCE);
    repositories["/code/x\n```\n# y"] = repository("/code/x\n```\n# y", { branches: [branch("main", 1)] });
    await host.sync(SOURCE);
    const odd = host.item("/code/x\n```\n# y#branch:main")!;
    expect(odd.body).toContain("cd $'/code/x\\x0a```\\x0a# y'");
    const bodies = host.items.map((item) => item.body).join("\n");
    expect(bodies).toContain("git switch 'x'\\''; touch `pwned`'");
    expect(bodies).toContain("- ``a`b`` modified");
    expect(bodies).not.toContain("[a](javascript");
  });
});
