/**
 * What a DevRig plugin is written against.
 *
 * In the worker, this import is served by DevRig itself: leave it out of your bundle
 * (`external: ["@devrig/sdk"]`). Outside of it, `definePlugin` works and `devrig` explains itself:
 * tests start a plugin with the fake host of `@devrig/sdk/testing`.
 */
import type { DevRigSDK, PluginDefinition } from "./sdk.ts";

export type * from "./actions.ts";
export type * from "./conditions.ts";
export type * from "./connection.ts";
export type * from "./git.ts";
export type * from "./hooks.ts";
export type * from "./inbox.ts";
export type * from "./manifest.ts";
export type * from "./sdk.ts";
export type * from "./sources.ts";
export type * from "./triggers.ts";

/**
 * Says that an object is a plugin, so that it is checked and completed as one. Export it as the
 * default of the entry module:
 *
 * ```ts
 * export default definePlugin({
 *   async activate(sdk) {
 *     sdk.dataSources.register("hello.tickets", { sync });
 *   },
 * });
 * ```
 */
export function definePlugin(plugin: PluginDefinition): PluginDefinition {
  return plugin;
}

/**
 * The SDK object itself, for plugins that call `devrig.activate(async (sdk) => …)`. The same as
 * the global `devrig`.
 */
export const devrig: DevRigSDK = new Proxy({} as DevRigSDK, {
  get(_, name) {
    const host = (globalThis as { devrig?: DevRigSDK }).devrig;
    if (host === undefined) {
      throw new Error(
        `devrig.${String(name)} exists only in DevRig's worker. In tests, use createFakeHost of @devrig/sdk/testing.`,
      );
    }
    return host[name as keyof DevRigSDK];
  },
});

export default devrig;
