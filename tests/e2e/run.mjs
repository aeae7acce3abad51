// Runs the journeys, each on a fresh rig, and ends with the numbers.

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { Rig } from './rig.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'journeys');
const wanted = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)));

let passed = 0;
let failed = 0;
for (const file of files) {
  const { name, journey } = await import(pathToFileURL(join(folder, file)));
  const started = Date.now();
  let rig;
  try {
    rig = await Rig.start();
    await journey(rig);
    passed += 1;
    console.log(`ok    ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.stack}`);
    await rig?.window?.screenshot(join(process.env.DEVRIG_E2E_SHOTS ?? rig.folder, 'failed.png')).catch(() => {});
    const text = await rig?.window?.text().catch(() => '');
    if (text) console.log(`the window says:\n${text}`);
  } finally {
    await rig?.window?.close().catch(() => {});
    await rig?.end();
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
