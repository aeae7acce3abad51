import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as Record<string, unknown>;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: false }).compile(read("../devrig-plugin.schema.json"));
const good = { name: "hello", version: "1.0.0", displayName: "Hello", engine: ">=1", main: "./dist/index.js" };

/** The manifest of the reference, section 2.2. */
const reference = {
  ...good,
  name: "devrig-plugin-github",
  icon: "./assets/icon.svg",
  permissions: ["network", "secrets:read", "inbox:write", "ai:classify"],
  capabilities: {
    dataSources: [{ id: "github.notifications", name: "GitHub Notifications", defaultSyncIntervalMs: 60_000, configSchema: "./schemas/n.json" }],
    actions: [{ id: "github.merge_pr", name: "Merge", inputSchema: "./i.json", outputSchema: "./o.json", appliesTo: ["github.pull_requests"] }],
    aiPipelines: [
      {
        id: "github.draft_review",
        name: "Draft",
        appliesTo: ["github.pull_requests"],
        stages: ["summarize", "draft"],
        promptTemplates: { summarize: "./prompts/s.md", draft: "./prompts/d.md" },
      },
    ],
    views: [{ id: "github.pr_detail", name: "PR", component: "./views/PRDetailView", appliesTo: ["github.pull_requests"] }],
    triggers: [{ id: "github.release", name: "Released", pollIntervalMs: 5000, samplePayload: { tag: "v1" } }],
    conditions: [{ id: "github.is_team_member", name: "Is in the team", configSchema: { type: "array" } }],
    hooks: [{ id: "github.guard", name: "Guard", actions: ["*", "http.*", "shell.exec", "plugin:github", "plugin:github:github.merge_*", "plugin:@a/b:c"], before: true, after: false }],
    flowNodes: [{ type: "condition", id: "github.is_default_branch", name: "Is Default Branch" }],
  },
  settingsSchema: "./schemas/settings.json",
};

describe("the manifest's schema", () => {
  test.each([
    ["the smallest", good],
    ["the reference's", reference],
    ["the legacy form", { ...good, triggers: [{ type: "github.push", name: "Push" }], actions: [{ type: "a.b", name: "A", category: "c" }], conditions: [{ type: "a.c", name: "C" }] }],
    ["Local Git's", read("../../git-local/devrig-plugin.json")],
  ])("%s manifest is valid", (_, manifest) => {
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each([
    ["no name", { name: undefined }],
    ["capitals in the name", { name: "Hello" }],
    ["a path as name", { name: "../x" }],
    ["a loose version", { version: "1.0" }],
    ["a path out of the folder", { main: "../x.js" }],
    ["a hidden path out of the folder", { main: "./dist/../../x.js" }],
    ["an absolute path", { main: "/x.js" }],
    ["an address as path", { main: "https://example.com/x.js" }],
    ["an unknown field", { colour: "red" }],
    ["an unknown permission", { permissions: ["everything"] }],
    ["a permission without a host", { permissions: ["network:"] }],
    ["a permission with an address", { permissions: ["network:https://example.com"] }],
    ["a relative folder", { permissions: ["git:read:code"] }],
    ["the same permission twice", { permissions: ["storage", "storage"] }],
    ["an unknown capability", { capabilities: { magic: [] } }],
    ["a hasty source", { capabilities: { dataSources: [{ id: "a", name: "A", defaultSyncIntervalMs: 1000 }] } }],
    ["an odd id", { capabilities: { actions: [{ id: "a b", name: "A" }] } }],
    ["a hasty trigger", { capabilities: { triggers: [{ id: "a", name: "A", pollIntervalMs: 1000 }] } }],
    ["an input of a condition", { capabilities: { conditions: [{ id: "a", name: "A", inputSchema: {} }] } }],
    ["a hook without a time", { capabilities: { hooks: [{ id: "a", name: "A", actions: ["*"], before: false }] } }],
    ["a hook without actions", { capabilities: { hooks: [{ id: "a", name: "A", actions: [], after: true }] } }],
    ["a star in the middle", { capabilities: { hooks: [{ id: "a", name: "A", actions: ["http.*.x"], after: true }] } }],
    ["a misspelt field of an action", { capabilities: { actions: [{ id: "a", name: "A", idempotant: true }] } }],
  ])("%s is refused", (_, change) => {
    expect(validate(JSON.parse(JSON.stringify({ ...good, ...change })))).toBe(false);
  });

  test.each([
    "network:api.github.com", "network:*.example.com", "network:api.example.com/v1 GET", "network:host:8443/path GET,POST",
    "network:host private", "network:localhost:4010", "network:[::1]:4010", "network:{settings.baseUrl}", "secrets:token",
    "secrets:reveal:token", "git:read:{settings.folders}", "git:fetch:/home/me/my code", "git:read:~/code", "desktop:open-folder", "flows:hooks",
  ])("the permission %s is valid", (permission) => {
    expect(validate({ ...good, permissions: [permission] }), JSON.stringify(validate.errors)).toBe(true);
  });
});
