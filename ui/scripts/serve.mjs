import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

export const UI = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(UI, 'node_modules', '.fake-dist');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

/** The policy of tauri.conf.json, so that what breaks under it breaks here. */
function policy() {
  const { csp } = JSON.parse(readFileSync(join(UI, '..', 'tauri.conf.json'), 'utf8')).app.security;
  return Object.entries(csp).map(([name, value]) => `${name} ${value}`).join('; ');
}

/** Builds the interface on made-up items and serves it on loopback, under the app's own policy. */
export async function serveFake() {
  const built = spawnSync('npx', ['vite', 'build', '--mode', 'fake', '--logLevel', 'warn'], { cwd: UI, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the build of the interface failed');
  const headers = { 'content-security-policy': policy() };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const file = join(DIST, path);
    const found = file.startsWith(DIST + sep) && extname(file) !== '' && existsSync(file) ? file : join(DIST, 'index.html');
    response.writeHead(200, { ...headers, 'content-type': TYPES[extname(found)] ?? 'application/octet-stream' });
    response.end(readFileSync(found));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** A browser with a profile of its own that talks to nobody. */
export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'devrig-ui-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** "Now" of the made-up items. */
const NOW = new Date('2026-03-12T09:30:00Z');

/**
 * Opens a page in one state: a scenario of the made-up platform, a theme, a size. What the page writes to
 * the console as an error is collected in `problems`; the prototypes are frozen as Tauri freezes them.
 */
export async function openPage(context, base, { path, scenario = '', theme = 'light', width = 1440, height = 900, density = 'compact' }) {
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(`${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await page.clock.setFixedTime(NOW);
  await page.addInitScript((density) => {
    localStorage.clear();
    localStorage.setItem('devrig.appearance', JSON.stringify({ density }));
    Object.freeze(Object.prototype);
  }, density);
  const url = new URL(path, base);
  if (scenario) url.searchParams.set('fake', scenario);
  await page.goto(url.href);
  await page.getByRole('contentinfo', { name: 'Status' }).waitFor();
  await page.waitForTimeout(250);
  return { page, problems };
}
