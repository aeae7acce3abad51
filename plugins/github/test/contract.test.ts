import { startJudged } from "devrig-github-fake/judged";
import { afterAll, beforeAll, expect, test } from "vitest";
import { on, type Rig } from "./rig.ts";

// What the plugin asks and what the fake answers, judged by GitHub's own description of REST. The
// judge passes nothing by: the first test shows that it objects.

type Judged = Awaited<ReturnType<typeof startJudged>>;
let rig: Rig<Judged>;
beforeAll(async () => void (rig = await on(await startJudged())), 60_000);
afterAll(() => rig.close());

const ask = (method: string, path: string, body?: unknown) =>
  fetch(`${rig.fake.url}${path}`, {
    method,
    headers: { authorization: "Bearer ghp_good", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const item = (title: string) => rig.host.items.find((one) => one.title === title)!;
const act = (action: string, input: unknown, title = "Retry on 429") => rig.host.action(`github.${action}`, input, { item: item(title).externalId });

test("the judge objects to a wrong question and to a wrong answer", async () => {
  await ask("POST", "/repos/acme/api/issues", { labels: 5 });
  expect(rig.fake.violations).toEqual([expect.stringContaining("labels must be array")]);
  rig.fake.faults.add({ match: "GET /user", kind: "status", status: 200, body: { login: 7 } });
  await ask("GET", "/user");
  expect(rig.fake.violations[1]).toContain("login");
  rig.fake.violations.length = 0;
});

test("whose token, all sources, paging and a conditional request", async () => {
  expect(await rig.host.check()).toMatchObject({ identity: "kim" });
  for (let n = 0; n < 60; n++) rig.fake.world.notify("kim", rig.fake.world.addIssue("acme/api", { title: `One of many ${n}` }), "subscribed");
  const cursor = await rig.host.syncAll("github.notifications");
  expect(rig.fake.log.some(({ path }) => path.includes("page=2"))).toBe(true);
  await rig.host.sync("github.notifications", { cursor });
  expect(rig.fake.log.at(-1)).toMatchObject({ status: 304 });
  for (const source of ["pull_requests", "issues", "checks"]) await rig.host.syncAll(`github.${source}`);
  expect(rig.host.items.length).toBeGreaterThan(60);
  expect(rig.fake.violations).toEqual([]);
});

test("every action, done and refused", async () => {
  const issue = "Crash on empty body";
  await act("comment", { body: "On it." });
  await act("request_changes", { body: "Please test it." });
  await act("approve", { body: "Good." });
  await act("request_review", { reviewers: ["octo"], teams: [] });
  await act("add_labels", { labels: ["urgent"] }, issue);
  await act("remove_labels", { labels: ["bug", "never there"] }, issue);
  await act("assign", { assignees: ["octo"] }, issue);
  await act("unassign", { assignees: ["kim"] }, issue);
  await act("close", { reason: "completed" }, issue);
  await act("reopen", {}, issue);
  await act("create_issue", { title: "Follow up", body: "Later.", labels: ["bug"], assignees: ["kim"] });
  await act("rerun_failed", {}, "build failed on feature");
  await act("mark_read", {});
  await act("unsubscribe", {});
  await act("subscribe", {});
  await act("mark_done", {});
  const pull = rig.fake.world.repo("acme/api").issues.get(1);
  pull.mergeable = false;
  await expect(act("merge", {})).rejects.toMatchObject({ code: "CONFLICT" });
  pull.mergeable = true;
  await act("merge", { method: "squash" });
  await expect(act("request_review", { reviewers: ["nobody"] }, "Dark mode")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  rig.fake.world.tokens.get("ghp_good").state = "expired";
  await expect(rig.host.sync("github.notifications")).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(rig.fake.violations).toEqual([]);
});
