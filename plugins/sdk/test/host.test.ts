import { beforeEach, describe, expect, test } from "vitest";
import { definePlugin, devrig } from "../src/index.ts";
import type { DevRigSDK, HookCall, InboxItemInput, PluginManifest, SyncContext } from "../src/index.ts";
import { createFakeHost, FakeError, type FakeHostOptions } from "../src/testing/index.ts";

const manifest: PluginManifest = {
  name: "hello",
  version: "1.2.3",
  displayName: "Hello",
  engine: ">=0.1.0",
  main: "dist/index.js",
  permissions: [
    "inbox:write", "storage", "notifications", "network:desk.example.com/v1 GET,POST", "network:*.cdn.example.com",
    "network:{settings.server}", "secrets:token", "secrets:user", "git:read:{settings.folders}", "git:fetch:/code", "desktop:open-folder", "flows:hooks",
  ],
  capabilities: { dataSources: [{ id: "hello.tickets", name: "Tickets" }], actions: [{ id: "hello.close", name: "Close" }], conditions: [{ id: "hello.is_open", name: "Is open" }], hooks: [{ id: "hello.guard", name: "Guard", actions: ["http.*"], before: true, after: true }], triggers: [{ id: "hello.opened", name: "Opened", pollIntervalMs: 60_000 }] },
};
const ticket: InboxItemInput = { externalId: "1", type: "ticket", title: "Broken", externalUpdatedAt: "2026-11-01T00:00:00Z" };

async function run<T>(work: (sdk: DevRigSDK) => T | Promise<T>, options: Partial<FakeHostOptions> = {}): Promise<T> {
  return work(createFakeHost({ manifest, ...options }).sdk);
}

async function within<T>(work: (ds: SyncContext) => Promise<T>, options: Partial<FakeHostOptions> = {}): Promise<T> {
  let result: T | undefined;
  const host = createFakeHost({ manifest, ...options });
  await host.start({
    activate: (sdk) =>
      sdk.dataSources.register("hello.tickets", {
        sync: async (_, ds) => {
          result = await work(ds);
          return { cursor: "x" };
        },
      }),
  });
  await host.sync("hello.tickets");
  return result as T;
}

const refused = (permission: string) => ({
  name: "DevRigError",
  code: "REFUSED",
  message: `plugin hello: needs the permission ${permission}`,
});

describe("activation", () => {
  test("a plugin is started, synced, acted on and stopped", async () => {
    const ended: string[] = [];
    const host = await createFakeHost({ manifest, settings: { desk: "a" } }).start(
      definePlugin({
        activate(sdk) {
          expect([sdk.pluginId, sdk.version, sdk.apiVersion, sdk.settings.desk]).toEqual(["hello", "1.2.3", "1.0.0", "a"]);
          sdk.deactivate(() => void ended.push("callback"));
          sdk.dataSources.register("hello.tickets", {
            async sync(cursor, ds) {
              await ds.storeItems([{ ...ticket, externalId: cursor ?? "first" }]);
              await ds.reportSyncProgress({ current: 1 });
              return { cursor: cursor === undefined ? "second" : "end", hasMore: cursor === undefined };
            },
          });
          sdk.actions.register("hello.close", {
            execute: async (input, { inboxItem, idempotencyKey }) => ({
              success: true,
              output: { input, idempotencyKey, was: inboxItem?.state },
              itemUpdate: { state: "closed" },
            }),
          });
        },
        deactivate: () => void ended.push("deactivate"),
      }),
    );
    expect(await host.syncAll("hello.tickets")).toBe("end");
    expect(host.items.map((item) => item.externalId)).toEqual(["first", "second"]);
    expect(host.progress).toHaveLength(2);
    const result = await host.action("hello.close", { a: 1 }, { item: "first", idempotencyKey: "k" });
    expect(result.output).toEqual({ input: { a: 1 }, idempotencyKey: "k", was: null });
    expect(host.item("first")).toMatchObject({ state: "closed", title: "Broken" });
    await host.stop();
    expect(ended).toEqual(["callback", "deactivate"]);
  });

  test.each([
    ["undeclared source", (sdk: DevRigSDK) => sdk.dataSources.register("other", { sync: async () => ({ cursor: "" }) }), "REFUSED"],
    ["undeclared action", (sdk: DevRigSDK) => sdk.actions.register("other", async () => ({ success: true })), "REFUSED"],
    ["undeclared condition", (sdk: DevRigSDK) => sdk.conditions.register("other", () => true), "REFUSED"],
    ["undeclared hook", (sdk: DevRigSDK) => sdk.hooks.register("other", { before: () => undefined }), "REFUSED"],
    ["undeclared trigger", (sdk: DevRigSDK) => sdk.triggers.register("other", { poll: () => ({ events: [] }) }), "REFUSED"],
    ["later version", (sdk: DevRigSDK) => sdk.views.register("x", {}), "UNSUPPORTED"],
  ])("registering an %s fails the activation", async (_, activate, code) => {
    await expect(createFakeHost({ manifest }).start({ activate })).rejects.toMatchObject({ code });
  });

  test("the global explains itself outside of the worker", () => {
    expect(() => devrig.log).toThrow(/createFakeHost/);
  });

  test("settings that nobody gave have the schema's defaults", async () => {
    const settingsSchema = { properties: { desk: { type: "string", default: "support" }, page: { type: "integer", default: 5 }, note: { type: "string" } } };
    const host = await createFakeHost({ manifest: { ...manifest, settingsSchema }, settings: { page: 7 } }).start({ activate: () => {} });
    expect(host.sdk.settings).toEqual({ desk: "support", page: 7 });
  });

  test("a source without an end is noticed", async () => {
    const host = await createFakeHost({ manifest }).start({
      activate: (sdk) => sdk.dataSources.register("hello.tickets", { sync: async () => ({ cursor: "same", hasMore: true }) }),
    });
    await expect(host.syncAll("hello.tickets")).rejects.toThrow(/did not move/);
  });
});

describe("permissions", () => {
  const bare = { ...manifest, permissions: [] };
  const settings = { folders: ["/home/me/code"], server: "https://git.example.org:8443/x" };

  test.each<[string, (sdk: DevRigSDK) => Promise<unknown>]>([
    ["storage", (sdk) => sdk.storage.get("a")],
    ["notifications", (sdk) => sdk.notify("a")],
    ["secrets:token", (sdk) => sdk.secrets.ref("token")],
    ["secrets:reveal:token", (sdk) => sdk.secrets.get("token")],
    ["network:desk.example.com", (sdk) => sdk.http.fetch("https://desk.example.com/")],
    ["git:read:/code", (sdk) => sdk.git.discover("/code")],
    ["git:read:/code/a", (sdk) => sdk.git.state("/code/a")],
    ["git:fetch:/code/a", (sdk) => sdk.git.fetch("/code/a")],
    ["desktop:open-folder", (sdk) => sdk.desktop.openFolder("/code")],
  ])("%s is needed, declared and granted", async (permission, call) => {
    await expect(run(call, { manifest: bare, settings })).rejects.toMatchObject({
      ...refused(permission),
      hint: "Declare it under permissions in devrig-plugin.json.",
    });
    const declared = { ...manifest, permissions: [permission] };
    await expect(run(call, { manifest: declared, grants: [], settings })).rejects.toMatchObject({
      ...refused(permission),
      hint: expect.stringContaining(`devrig plugin grant hello ${permission}`),
    });
  });

  test("inbox:write is needed for items", async () => {
    await expect(within((ds) => ds.storeItems([]), { grants: [] })).rejects.toMatchObject(refused("inbox:write"));
    await expect(within((ds) => ds.queryItems(), { grants: [] })).rejects.toMatchObject(refused("inbox:write"));
  });

  test("folders come from settings, and hold what is below them only", async () => {
    const git = { repositories: {} };
    const discover = (folder: string) => run((sdk) => sdk.git.discover(folder), { settings, git });
    await expect(discover("/home/me/code/deep")).resolves.toEqual({ repositories: [] });
    await expect(discover("/home/me/codex")).rejects.toMatchObject(refused("git:read:/home/me/codex"));
    await expect(discover("/home/me")).rejects.toMatchObject(refused("git:read:/home/me"));
    await expect(discover("/home/me/code/../other")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(discover("code")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test.each([
    ["https://desk.example.com/v1/x", true],
    ["https://desk.example.com/v10", false],
    ["https://a.cdn.example.com/", true],
    ["https://cdn.example.com/", false],
    ["https://evilcdn.example.com/", false],
    ["https://git.example.org:8443/any", true],
    ["https://git.example.org/any", false],
  ])("a request to %s is allowed: %s", async (url, allowed) => {
    const request = run((sdk) => sdk.http.fetch(url), { settings, fetch: () => new Response("ok") });
    if (allowed) await expect(request.then((response) => response.text())).resolves.toBe("ok");
    else await expect(request).rejects.toMatchObject({ code: "REFUSED" });
  });

  test("a method that was not named is refused", async () => {
    const request = run((sdk) => sdk.http.fetch("https://desk.example.com/v1", { method: "DELETE" }));
    await expect(request).rejects.toMatchObject({ code: "REFUSED" });
  });

  test("folders are opened from an action only", async () => {
    await expect(run((sdk) => sdk.desktop.openFolder("/home/me/code"), { settings })).rejects.toThrow(/action/);
  });
});

describe("secrets", () => {
  const secrets = { token: "s3cret", user: "ada" };

  test("a placeholder becomes the value on its way out, and is not the value before", async () => {
    const host = createFakeHost({ manifest, secrets, fetch: (request) => new Response(request.headers.get("authorization")) });
    const token = await host.sdk.secrets.ref("token");
    expect(token).not.toContain("s3cret");
    const response = await host.sdk.http.fetch("https://desk.example.com/v1", { headers: { authorization: `Bearer ${token}` } });
    expect(await response.text()).toBe("Bearer s3cret");
    const basic = await host.sdk.secrets.basic(await host.sdk.secrets.ref("user"), token);
    await host.sdk.http.fetch("https://desk.example.com/v1", { headers: { authorization: basic } });
    expect(host.requests[1]!.headers.get("authorization")).toBe(`Basic ${btoa("ada:s3cret")}`);
    expect(await host.sdk.secrets.list()).toEqual(["token", "user"]);
  });

  test("a secret without a value says so, and a request without a route fails as the network does", async () => {
    await expect(run((sdk) => sdk.secrets.ref("token"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    const error = await run((sdk) => sdk.http.fetch("https://desk.example.com/v1")).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FakeError);
    expect(error).toMatchObject({ code: "NETWORK", retryable: true });
  });
});

describe("items", () => {
  test.each<[string, Partial<InboxItemInput>, string]>([
    ["without a title", { title: "" }, "title is missing"],
    ["an unknown field", { colour: "red" } as Partial<InboxItemInput>, "colour is not a field"],
    ["a long title", { title: "x".repeat(4097) }, "title is longer than 4096"],
    ["an unsafe address", { sourceUrl: "javascript:alert(1)" }, "sourceUrl is neither http nor https"],
    ["an odd priority", { priority: "max" as "high" }, "priority is none of"],
    ["an odd type", { type: "a b" }, "type has other characters"],
    ["an odd time", { externalUpdatedAt: "yesterday" }, "externalUpdatedAt is no RFC 3339 time"],
    ["much metadata", { metadata: { a: "x".repeat(70_000) } }, "metadata is larger"],
  ])("%s is refused with its place, and nothing is stored", async (_, change, message) => {
    let left = -1;
    const attempt = within(async (ds) => {
      await ds.storeItems([ticket, { ...ticket, externalId: "2", ...change }]).finally(async () => {
        left = (await ds.queryItems()).length;
      });
    });
    await expect(attempt).rejects.toThrow(`item 1 (2): ${message}`);
    expect(left).toBe(0);
  });

  test("storing again updates, keeps the person's side, and brings done back only when newer", async () => {
    await within(async (ds) => {
      expect(await ds.storeItems([ticket])).toEqual({ created: 1, updated: 0 });
      expect(await ds.storeItems([ticket])).toEqual({ created: 0, updated: 0 });
      await ds.archive(["1"]);
      expect(await ds.storeItems([{ ...ticket, title: "Still broken" }])).toEqual({ created: 0, updated: 1 });
      expect((await ds.queryItems())[0]).toMatchObject({ title: "Still broken", status: "archived" });
      await ds.storeItems([{ ...ticket, externalUpdatedAt: "2026-11-02T00:00:00Z" }]);
      expect((await ds.queryItems({ status: ["unread"] })).map((item) => item.externalId)).toEqual(["1"]);
    });
  });

  test("queries filter, order and page", async () => {
    await within(async (ds) => {
      const item = (n: number, change: Partial<InboxItemInput> = {}) => ({
        ...ticket,
        externalId: `${n}`,
        externalUpdatedAt: `2026-11-0${n}T00:00:00Z`,
        ...change,
      });
      await ds.storeItems([item(1, { priority: "urgent" }), item(2, { body: "the Printer" }), item(3, { type: "note", isActionable: true })]);
      await ds.markRead(["2"]);
      const ids = async (query: Parameters<SyncContext["queryItems"]>[0]) => (await ds.queryItems(query)).map((found) => found.externalId);
      expect(await ids({})).toEqual(["3", "2", "1"]);
      expect(await ids({ orderBy: "priority", limit: 1 })).toEqual(["1"]);
      expect(await ids({ limit: 1, offset: 1 })).toEqual(["2"]);
      expect(await ids({ types: ["note"] })).toEqual(["3"]);
      expect(await ids({ isActionable: true })).toEqual(["3"]);
      expect(await ids({ search: "printer" })).toEqual(["2"]);
      expect(await ids({ status: ["read"] })).toEqual(["2"]);
    });
  });
});

describe("conditions", () => {
  const asked = async (evaluate: (args: unknown[]) => unknown) => {
    const activate = (sdk: DevRigSDK) => sdk.conditions.register("hello.is_open", evaluate as () => boolean);
    return (await createFakeHost({ manifest }).start({ activate })).condition("hello.is_open", ["a"]);
  };

  test("they answer true or false, and nothing else", async () => {
    expect(await asked(([state]) => state === "a")).toBe(true);
    expect(await asked(async ([state]) => state === "b")).toBe(false);
    await expect(asked(() => 1)).rejects.toThrow(/neither true nor false/);
    await expect(createFakeHost({ manifest }).condition("hello.is_open")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("they know who asks", async () => {
    let name = "";
    const host = await createFakeHost({ manifest }).start({
      activate: (sdk) => sdk.conditions.register("hello.is_open", { evaluate: (_, { flow }) => ((name = flow.name), true) }),
    });
    await host.condition("hello.is_open", [], { flow: { id: "f", name: "Mine" } });
    expect(name).toBe("Mine");
  });
});

describe("hooks", () => {
  const guarded = (before: (call: HookCall) => unknown, options: Partial<FakeHostOptions> = {}) =>
    createFakeHost({ manifest, ...options }).start({
      activate: (sdk) => sdk.hooks.register("hello.guard", { before: before as () => undefined }),
    });

  test("they let pass or refuse, and nothing else", async () => {
    const host = await guarded(({ action, input }) => (input.url === "https://a.test" ? { refuse: `no ${action}` } : undefined));
    expect(await host.before("hello.guard", { input: { url: "https://a.test" } })).toEqual({ refuse: "no http.request" });
    expect(await host.before("hello.guard", { action: "http.graphql" })).toEqual({});
    for (const odd of [true, { refused: "x" }, { refuse: 1 }]) {
      await expect((await guarded(() => odd)).before("hello.guard")).rejects.toThrow(/something else/);
    }
    await expect(host.after("hello.guard")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(host.before("hello.other")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("they are told how it went", async () => {
    const told: unknown[] = [];
    const host = await createFakeHost({ manifest }).start({
      activate: (sdk) => sdk.hooks.register("hello.guard", { after: (call, outcome) => void told.push([call.attempt, outcome]) }),
    });
    await host.after("hello.guard", { attempt: 2 }, { ok: false, error: { code: "NETWORK", message: "down" } });
    const error = { code: "NETWORK", message: "down" };
    expect(told).toEqual([[2, { ok: false, error, durationMs: 1, outputLeftOut: false }]]);
  });

  test("they need their permission and a function", async () => {
    const host = await guarded(() => undefined, { grants: [] });
    await expect(host.before("hello.guard")).rejects.toMatchObject(refused("flows:hooks"));
    const activate = (sdk: DevRigSDK) => sdk.hooks.register("hello.guard", {});
    await expect(createFakeHost({ manifest }).start({ activate })).rejects.toThrow(TypeError);
  });
});

describe("triggers", () => {
  test("they are asked with config and cursor", async () => {
    const host = await createFakeHost({ manifest }).start({
      activate: (sdk) =>
        sdk.triggers.register<number>("hello.opened", {
          poll: (config, cursor = 0) => ({ events: [{ id: `${cursor}`, payload: config }], cursor: cursor + 1 }),
        }),
    });
    const first = await host.poll("hello.opened", { config: { desk: "a" } });
    expect(first).toEqual({ events: [{ id: "0", payload: { desk: "a" } }], cursor: 1 });
    expect((await host.poll("hello.opened", { cursor: first.cursor })).cursor).toBe(2);
  });

  test("they are fired where they are declared", async () => {
    const host = createFakeHost({ manifest });
    expect(await host.sdk.triggers.fire("hello.opened", { number: 7 }, { id: "7" })).toEqual({ flows: 1 });
    expect(host.fired).toEqual([{ trigger: "hello.opened", payload: { number: 7 }, id: "7" }]);
    await expect(host.sdk.triggers.fire("hello.closed")).rejects.toMatchObject({ code: "REFUSED" });
  });

  test("an answer without events is none", async () => {
    const host = await createFakeHost({ manifest }).start({
      activate: (sdk) => sdk.triggers.register("hello.opened", { poll: () => ({}) as { events: [] } }),
    });
    await expect(host.poll("hello.opened")).rejects.toThrow(/no events/);
  });
});

describe("the rest", () => {
  let host: ReturnType<typeof createFakeHost>;
  beforeEach(() => {
    host = createFakeHost({ manifest, storage: { "a/1": 1 } });
  });

  test("storage keeps JSON by key", async () => {
    const value = { when: new Date(0) };
    await host.sdk.storage.set("a/2", value);
    expect(await host.sdk.storage.get("a/2")).toEqual({ when: "1970-01-01T00:00:00.000Z" });
    expect(await host.sdk.storage.get("none")).toBeNull();
    expect(await host.sdk.storage.list("a/")).toEqual(["a/1", "a/2"]);
    await host.sdk.storage.delete("a/1");
    expect([...host.storage.keys()]).toEqual(["a/2"]);
  });

  test("events, notifications and logs are seen", async () => {
    const heard: unknown[] = [];
    const end = host.sdk.events.on("hello.changed", (data) => void heard.push(data));
    await host.deliver("hello.changed", 1);
    end();
    await host.deliver("hello.changed", 2);
    expect(heard).toEqual([1]);
    await host.sdk.events.emit("hello.changed", { a: 1 });
    await host.sdk.notify("Title", "Body");
    host.sdk.log.warn("careful", { a: 1 });
    expect(host.emitted).toEqual([{ topic: "hello.changed", data: { a: 1 } }]);
    expect(host.notifications).toEqual([{ title: "Title", body: "Body" }]);
    expect(host.logs).toEqual([{ level: "warn", message: "careful", meta: { a: 1 } }]);
  });
});
