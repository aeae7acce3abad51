import { readFileSync } from "node:fs";
import type { PluginManifest } from "@devrig/sdk";
import { createFakeHost, type FakeHost } from "@devrig/sdk/testing";
import { startFake, type Fake } from "devrig-github-fake";
import plugin from "../src/index.ts";

const manifest = JSON.parse(readFileSync(new URL("../devrig-plugin.json", import.meta.url), "utf8")) as PluginManifest;

export interface Rig<F extends Fake = Fake> {
  fake: F;
  host: FakeHost;
  close(): Promise<void>;
}

/** The plugin on a fake host, against the fake GitHub over real HTTP. */
export async function start(settings: Record<string, unknown> = {}, token = "ghp_good"): Promise<Rig> {
  return on(await startFake(), settings, token);
}

/** The plugin against a fake that runs already. */
export async function on<F extends Fake>(fake: F, settings: Record<string, unknown> = {}, token = "ghp_good"): Promise<Rig<F>> {
  const host = await hostOf({ baseUrl: fake.url, webUrl: "https://github.com", backfillDays: 150, ...settings }, (request) => fetch(request), token);
  return { fake, host, close: () => fake.close() };
}

/** The plugin on a fake host, whose requests `send` answers. */
export function hostOf(settings: Record<string, unknown>, send: (request: Request) => Promise<Response>, token = "ghp_good"): Promise<FakeHost> {
  return createFakeHost({ manifest, settings, secrets: { github_token: token }, fetch: send }).start(plugin);
}
