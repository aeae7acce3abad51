// What the inbox route loads, gzipped; fails above the budget of 220 KB.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET = 220 * 1024;
const dist = join(fileURLToPath(new URL('..', import.meta.url)), 'dist');
if (!existsSync(dist)) throw new Error('there is no build: run `npm run build -w ui` first');
const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'));

const wanted = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (!chunk || wanted.has(chunk.file)) return;
  wanted.add(chunk.file);
  for (const css of chunk.css ?? []) wanted.add(css);
  for (const next of chunk.imports ?? []) visit(next);
};
// The platform comes with the first screen, though as a chunk of its own; an item's text comes after it.
for (const key of Object.keys(manifest)) {
  if (key === 'index.html' || /platform\/tauri/.test(key)) visit(key);
}
const sizes = [...wanted].map((file) => [file, gzipSync(readFileSync(join(dist, file))).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [file, size] of sizes) console.log(`${(size / 1024).toFixed(1).padStart(7)} KB  ${file}`);
console.log(`${(total / 1024).toFixed(1).padStart(7)} KB  inbox route, of ${BUDGET / 1024}`);
process.exitCode = total <= BUDGET ? 0 : 1;
