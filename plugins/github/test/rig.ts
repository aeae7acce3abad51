import { readFileSync } from "node:fs";
import type { PluginManifest } from "@devrig/sdk";
import { createFakeHost, type FakeHost } from "@devrig/sdk/testing";
import { startFake, type Fake } from "devrig-github-fake";
import plugin from "../src/index.ts";

const manifest = JSON.parse(readFileSync(new URL("../devrig-plugin.json", import.meta.url), "utf8")) as PluginManifest;

export interface Rig {
  fake: Fake;
  host: FakeHost;
  /** The pull request that waits for kim's review, kim's own, and the issue. */
  close(): Promise<void>;
}

/** The plugin on a fake host, against the fake GitHub over real HTTP. */
export async function start(settings: Record<string, unknown> = {}, token = "ghp_good"): Promise<Rig> {
  const fake = await startFake();
  const host = await createFakeHost({
    manifest,
    settings: { baseUrl: fake.url, webUrl: "https://github.com", backfillDays: 150, ...settings },
    secrets: { github_token: token },
    fetch: (request) => fetch(request),
  }).start(plugin);
  return { fake, host, close: () => fake.close() };
}
