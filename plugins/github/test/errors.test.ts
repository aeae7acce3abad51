import { afterEach, beforeEach, expect, test } from "vitest";
import { start, type Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => void (rig = await start()));
afterEach(() => rig.close());

const fault = (kind: string, fields: Record<string, unknown> = {}) => rig.fake.faults.add({ match: "GET /notifications", kind, ...fields });
const sync = () => rig.host.sync("github.notifications");

test("an expired token says where to make another", async () => {
  rig.fake.world.tokens.get("ghp_good").state = "expired";
  const refused = { code: "UNAUTHORIZED", hint: expect.stringContaining("https://github.com/settings/tokens") };
  await expect(sync()).rejects.toMatchObject(refused);
  await expect(rig.host.sync("github.issues")).rejects.toMatchObject(refused);
  await expect(rig.host.check()).rejects.toMatchObject(refused);
});

test("the hourly limit ends at a time that is told", async () => {
  fault("primary", { seconds: 1_200 });
  const error = await sync().catch((thrown: unknown) => thrown as Record<string, unknown>);
  expect(error).toMatchObject({ code: "RATE_LIMITED", retryable: true, message: expect.stringMatching(/until \d\d:\d\d UTC/) });
  expect(error).toHaveProperty("retryAfterMs", expect.closeTo(1_200_000, -4));
});

test("a secondary limit waits as long as it says", async () => {
  fault("secondary", { seconds: 90, status: 429 });
  await expect(sync()).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 90_000 });
});

test("a server clock that is far off changes no wait", async () => {
  const reset = Math.floor(Date.parse("2030-01-01T00:10:00Z") / 1000);
  fault("status", { status: 403, message: "API rate limit exceeded", headers: { date: "Tue, 01 Jan 2030 00:00:00 GMT", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) } });
  await expect(sync()).rejects.toMatchObject({ retryAfterMs: 600_000, message: expect.stringContaining("00:10 UTC") });
});

test("a right that the token lacks is named", async () => {
  rig.fake.world.tokens.get("ghp_good").scopes = ["read:org"];
  await expect(sync()).rejects.toMatchObject({ code: "REFUSED", message: expect.stringContaining("notifications") });
});

test("single sign-on names its page", async () => {
  rig.fake.world.tokens.get("ghp_good").state = "sso";
  await expect(sync()).rejects.toMatchObject({ code: "REFUSED", hint: expect.stringContaining("https://github.com/orgs/acme/sso") });
});

test.each([
  ["status", { status: 500 }, { code: "HTTP", retryable: true }],
  ["status", { status: 503 }, { code: "HTTP", retryable: true }],
  ["status", { status: 404 }, { code: "NOT_FOUND", retryable: false }],
  ["status", { status: 403, message: "Must have admin rights" }, { code: "REFUSED", message: expect.stringContaining("admin rights") }],
  ["json", {}, { code: "HTTP", retryable: true, message: expect.stringContaining("no JSON") }],
  ["cut", {}, { code: "NETWORK", retryable: true, message: expect.stringContaining("Reading notifications: ") }],
])("%s %j costs this sync only", async (kind, fields, expected) => {
  fault(kind, fields);
  await expect(sync()).rejects.toMatchObject(expected);
  expect(rig.host.items).toEqual([]);
  await rig.host.syncAll("github.notifications");
  expect(rig.host.items).toHaveLength(2);
});

test("what cannot be read of one repository costs the others nothing", async () => {
  const gone = rig.fake.world.addRepo("acme/gone");
  const issue = rig.fake.world.addIssue("acme/gone", { title: "Of a repository that was deleted" });
  rig.fake.world.notify("kim", issue, "mention");
  rig.fake.world.repos.delete(gone.full_name);
  await rig.host.syncAll("github.notifications");
  expect(rig.host.items).toHaveLength(3);
  expect(rig.host.items.find((item) => item.repo === "acme/gone")).toMatchObject({ title: "Of a repository that was deleted", sourceUrl: "https://github.com/acme/gone/issues/1" });
});
