import { afterEach, beforeEach, expect, test } from "vitest";
import { start, type Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await start({ backfillDays: 150 });
  await rig.host.syncAll("github.notifications");
});
afterEach(() => rig.close());

const world = () => rig.fake.world;
const at = (repo: string, number: number) => world().repo(repo).issues.get(number);
const item = (title: string) => rig.host.items.find((one) => one.title === title)!;
const act = (action: string, input: unknown, title = "Retry on 429") => rig.host.action(`github.${action}`, input, { item: item(title).externalId });

test("approve and merge the version that was seen", async () => {
  await act("approve", { body: "Good." });
  expect(at("acme/api", 1).reviews).toMatchObject([{ login: "kim", state: "APPROVED", body: "Good.", sha: item("Retry on 429").metadata.headSha }]);
  expect(await act("merge", { method: "squash" })).toMatchObject({ success: true, itemUpdate: { state: "merged", isActionable: false } });
  expect(at("acme/api", 1)).toMatchObject({ merged: true, method: "squash" });
  expect(item("Retry on 429").state).toBe("merged");
  expect(await act("merge", {}), "twice is once").toMatchObject({ success: true });
});

test("a push after it was seen is a conflict in words", async () => {
  world().push(at("acme/api", 1));
  await expect(act("merge", {})).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining("Head branch was modified") });
  at("acme/api", 1).mergeable = false;
  await expect(act("merge", {})).rejects.toMatchObject({ code: "CONFLICT" });
});

test("nobody approves their own", async () => {
  await rig.host.syncAll("github.pull_requests");
  await expect(act("approve", {}, "Dark mode")).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("approve your own") });
});

test("changes are asked for, and a review is requested", async () => {
  await act("request_changes", { body: "Please test it." });
  expect(at("acme/api", 1).reviews.at(-1)).toMatchObject({ state: "CHANGES_REQUESTED" });
  await act("request_review", { reviewers: ["octo"], teams: ["core"] });
  expect(at("acme/api", 1)).toMatchObject({ reviewers: ["octo"], teams: ["core"] });
  await expect(act("request_review", { reviewers: ["nobody"] })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("comment, close, reopen, label, assign", async () => {
  const title = "Crash on empty body";
  const issue = at("acme/api", 2);
  await act("comment", { body: "On it." }, title);
  expect(issue.comments.at(-1)).toMatchObject({ login: "kim", body: "On it." });
  await act("close", { reason: "not_planned" }, title);
  expect(issue).toMatchObject({ state: "closed", state_reason: "not_planned" });
  expect(item(title).state).toBe("closed");
  await act("reopen", {}, title);
  expect(issue.state).toBe("open");
  await act("add_labels", { labels: ["urgent"] }, title);
  expect(item(title).labels).toEqual(["bug", "urgent"]);
  await act("remove_labels", { labels: ["bug", "never there"] }, title);
  expect(item(title).labels).toEqual(["urgent"]);
  await act("assign", { assignees: ["octo"] }, title);
  expect(issue.assignees).toEqual(["kim", "octo"]);
  await expect(act("assign", { assignees: ["nobody"] }, title)).rejects.toMatchObject({ message: expect.stringContaining("nobody cannot be assigned") });
  await act("unassign", { assignees: ["kim"] }, title);
  expect(issue.assignees).toEqual(["octo"]);
});

test("an issue is created in the item's repository or another", async () => {
  const made = await act("create_issue", { title: "Follow up", labels: ["bug"] });
  expect(made.output).toMatchObject({ number: 3 });
  await rig.host.action("github.create_issue", { repository: "acme/web", title: "Elsewhere" });
  expect(at("acme/web", 2).title).toBe("Elsewhere");
  await expect(rig.host.action("github.create_issue", { repository: "acme", title: "x" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("failed checks are run again", async () => {
  await rig.host.syncAll("github.checks");
  await act("rerun_failed", {}, "build failed on feature");
  expect(at("acme/web", 1).checks[0].run).toMatchObject({ status: "in_progress", attempts: 2 });
  await expect(act("rerun_failed", {}, "Retry on 429")).rejects.toMatchObject({ code: "NOTHING_TO_DO" });
});

test("threads are marked read and done, and left", async () => {
  const thread = () => world().threads.get(item("Retry on 429").metadata.threadId);
  await act("mark_read", {});
  expect(thread()).toMatchObject({ unread: false, done: false });
  await act("mark_done", {});
  expect(thread().done).toBe(true);
  await act("unsubscribe", {});
  expect(world().subscriptions.get(thread().id)).toBe("none");
  await act("subscribe", {});
  expect(world().subscriptions.get(thread().id)).toBe("on");
});

test("a renamed repository is found under its new name", async () => {
  world().rename("acme/api", "acme/core");
  await act("comment", { body: "Still here." }, "Crash on empty body");
  expect(at("acme/core", 2).comments.at(-1).body).toBe("Still here.");
});
