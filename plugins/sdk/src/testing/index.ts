/**
 * A host for tests of plugins: no DevRig, no network, no git, and the same refusals.
 *
 * ```ts
 * const host = createFakeHost({ manifest, settings: { folders: ["/code"] } });
 * await host.start(plugin);
 * const result = await host.sync("hello.tickets");
 * expect(host.items).toHaveLength(2);
 * ```
 */
export { createFakeHost, FakeHost } from "./host.ts";
export type { FakeHostOptions, FakeGit, FakeRoute, LogLine } from "./host.ts";
export { FakeError } from "./error.ts";
