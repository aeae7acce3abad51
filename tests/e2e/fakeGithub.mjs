// The fake GitHub in a process of its own: a journey stands still while the command line runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../github-fake/main.mjs', import.meta.url));

/** `ask` steers it; its README lists the controls. It ends with `close`. */
export async function startGithub(seed = 'small') {
  const child = spawn(process.execPath, [MAIN, '--seed', seed], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const { url, control } = JSON.parse(line);
  const ask = async (act, body = {}) => (await fetch(`${control}/${act}`, { method: 'POST', body: JSON.stringify(body) })).json();
  return { url, ask, close: () => child.stdin.end() };
}
