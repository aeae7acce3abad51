import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { start, type Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  vi.useFakeTimers({ now: new Date("2026-11-01T12:00:00Z"), toFake: ["Date"] });
  rig = await start();
});
afterEach(async () => {
  vi.useRealTimers();
  await rig.close();
});

const find = (title: string) => rig.host.items.find((item) => item.title === title);
const world = () => rig.fake.world;
const pull = (repo: string, number: number) => world().repo(repo).issues.get(number);

test("whose token it is, and what it lacks", async () => {
  expect(await rig.host.check()).toEqual({ identity: "kim", detail: "Kim Example", warnings: [] });
  world().tokens.get("ghp_good").scopes = ["repo"];
  expect((await rig.host.check()).warnings).toEqual([expect.stringContaining("read:org")]);
  world().tokens.get("ghp_good").scopes = [];
  expect((await rig.host.check()).warnings).toEqual([expect.stringContaining("fine-grained")]);
});

test("notifications come with what decides", async () => {
  await rig.host.syncAll("github.notifications");
  expect(rig.host.items).toHaveLength(2);
  expect(find("Retry on 429")).toMatchObject({
    type: "pull_request",
    repo: "acme/api",
    actor: "octo",
    reason: "review_requested",
    state: "open",
    isActionable: true,
    status: "unread",
    threadKey: "acme/api#1",
    sourceUrl: "https://github.com/acme/api/pull/1",
    metadata: { owner: "acme", name: "api", number: 1, headSha: pull("acme/api", 1).sha },
  });
  const issue = find("Crash on empty body")!;
  expect(issue.body).toContain("**octo** commented");
  expect(issue.preview).toBe("octo commented: It happens with every empty body.");
  expect(issue.labels).toEqual(["bug"]);
});

test("nothing new is one conditional request that is not counted, and the service's pause is kept", async () => {
  const cursor = await rig.host.syncAll("github.notifications");
  const before = rig.fake.log.length;
  const again = await rig.host.sync("github.notifications", { cursor });
  expect(rig.fake.log.slice(before)).toMatchObject([{ status: 304, conditional: true }]);
  expect(again).toMatchObject({ cursor, itemCount: 0, hasMore: false, nextSyncAfterMs: 60_000 });
});

test("only what changed is read again, and a read thread is marked read", async () => {
  const cursor = await rig.host.syncAll("github.notifications");
  const issue = pull("acme/api", 2);
  world().comment(issue, "octo", "Any news?");
  const thread = world().notify("kim", issue, "comment");
  await rig.host.syncAll("github.notifications", cursor);
  expect(find("Crash on empty body")).toMatchObject({ preview: "octo commented: Any news?", status: "unread" });
  thread.unread = false;
  thread.updated_at = world().tick();
  await rig.host.syncAll("github.notifications", cursor);
  expect(find("Crash on empty body")?.status).toBe("read");
});

test("pages are read one at a time", async () => {
  for (let n = 0; n < 120; n++) world().notify("kim", world().addIssue("acme/web", { title: `many ${n}` }), "subscribed");
  const first = await rig.host.sync("github.notifications");
  expect(first.hasMore).toBe(true);
  expect(rig.host.items).toHaveLength(50);
  await rig.host.syncAll("github.notifications");
  expect(rig.host.items).toHaveLength(122);
  const details = rig.fake.log.filter((entry) => entry.path === "/graphql");
  expect(details.length).toBeLessThanOrEqual(2 + 2 * 3);
});

test("a page link to another host is not followed", async () => {
  for (let n = 0; n < 60; n++) world().notify("kim", world().addIssue("acme/web", { title: `many ${n}` }), "subscribed");
  rig.fake.faults.add({ match: "GET /notifications", kind: "status", status: 200, body: [], headers: { link: '<https://evil.test/?page=2>; rel="next"' } });
  await rig.host.syncAll("github.notifications");
  expect(rig.host.requests.every((request) => request.url.startsWith(rig.fake.url))).toBe(true);
});

test("repositories that are left out make no items", async () => {
  await rig.close();
  rig = await start({ leaveOut: ["acme/API"] });
  await rig.host.syncAll("github.notifications");
  expect(rig.host.items).toEqual([]);
});

test("pull requests that involve me, with my part in them", async () => {
  const cursor = await rig.host.syncAll("github.pull_requests");
  expect(find("Retry on 429")).toMatchObject({ reason: "review_requested", isActionable: true, threadKey: "acme/api#1" });
  expect(find("Dark mode")).toMatchObject({ reason: "author", isActionable: true });
  expect(find("Dark mode")?.body).toContain("failed: [build]");
  world().review(pull("acme/api", 1), "kim", "APPROVED", "Good.");
  world().merge(pull("acme/api", 1));
  await rig.host.syncAll("github.pull_requests", cursor);
  expect(find("Retry on 429")).toMatchObject({ state: "merged", isActionable: false });
  expect(find("Retry on 429")?.body).toContain("**kim** approved");
});

test("a pull request that a notification and a search find is one item", async () => {
  await rig.host.syncAll("github.notifications");
  const before = find("Retry on 429")!;
  await rig.host.syncAll("github.pull_requests");
  expect(rig.host.items.filter((item) => item.title === "Retry on 429")).toHaveLength(1);
  expect(find("Retry on 429")).toMatchObject({ metadata: { threadId: before.metadata.threadId }, externalUpdatedAt: before.externalUpdatedAt });
  const updated = find("Retry on 429")!.updatedAt;
  await rig.host.syncAll("github.notifications");
  await rig.host.syncAll("github.pull_requests");
  expect(find("Retry on 429")!.updatedAt, "neither undoes the other's work").toBe(updated);
});

test("what ended before it was ever here is no news", async () => {
  world().close(pull("acme/api", 1));
  await rig.host.syncAll("github.pull_requests");
  expect(find("Retry on 429")).toBeUndefined();
});

test("issues of mine, and failed checks that pass again", async () => {
  await rig.host.syncAll("github.issues");
  expect(find("Crash on empty body")).toMatchObject({ type: "issue", reason: "assign", isActionable: true });
  const cursor = await rig.host.syncAll("github.checks");
  expect(find("build failed on feature")).toMatchObject({ type: "check", state: "open", isActionable: true });
  world().addCheck(pull("acme/web", 1), "build", "success");
  await rig.host.syncAll("github.checks", cursor);
  expect(find("Checks of feature")).toMatchObject({ state: "closed", isActionable: false });
});

test("what is done stays done: read threads, my own words, what is over", async () => {
  const syncs = ["github.notifications", "github.pull_requests"];
  const all = async () => {
    for (const source of syncs) await rig.host.syncAll(source);
  };
  await all();
  const thread = world().notify("kim", pull("acme/api", 2), "subscribed");
  await all();
  rig.host.markDone(...rig.host.items.map((item) => item.externalId));
  thread.unread = false;
  thread.updated_at = world().tick();
  world().comment(pull("acme/web", 1), "kim", "I will look.");
  world().review(pull("acme/api", 1), "kim", "COMMENTED", "One thing.");
  await all();
  expect(rig.host.items.map((item) => item.status)).toEqual(rig.host.items.map(() => "archived"));
  expect(find("Dark mode")!.body, "and is up to date").toContain("I will look.");
  world().comment(pull("acme/web", 1), "octo", "So?");
  world().notify("kim", pull("acme/api", 2), "mention");
  await all();
  expect([find("Dark mode"), find("Crash on empty body")].map((item) => item!.status)).toEqual(["unread", "unread"]);
  expect(find("Retry on 429")!.status).toBe("archived");
});
