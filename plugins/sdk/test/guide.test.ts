import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll } from "vitest";
import { fences, writeBlock } from "../../../tests/e2e/fences.mjs";

// The test that the author's guide ends with, on the plugin that the guide makes. Written below this
// package, so that its imports are found as in a folder of one's own that has the SDK installed.

const guide = fileURLToPath(new URL("../../../docs/plugins/first-plugin.md", import.meta.url));
const folder = fileURLToPath(new URL("../node_modules/.guide", import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const block of fences(guide)) writeBlock(folder, block);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await import(pathToFileURL(`${folder}/desk/index.test.js`).href);
