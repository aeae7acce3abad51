// The author's guide, followed from an empty folder: its files are written, its commands are run in a
// shell, and what it says that they print is looked for.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { fences, writeBlock } from '../fences.mjs';

export const name = "the author's guide: from an empty folder to a source, an action and a token";

const PAGE = fileURLToPath(new URL('../../../docs/plugins/first-plugin.md', import.meta.url));
const ALL_OF_THEM = ['sh', 'text', 'js', 'json'];

export async function journey(rig) {
  const owner = rig.start('devrig', 'start');
  await rig.answers();
  const port = await freePort();
  const folder = join(rig.folder, 'empty');
  mkdirSync(folder);
  const groups = [];
  let printed = '';
  let ran = 0;
  try {
    for (const block of fences(PAGE)) {
      assert.ok(ALL_OF_THEM.includes(block.language), `the guide has a block of ${block.language}`);
      // Another program may listen on the port that the page names.
      const text = block.text.replaceAll('8123', String(port));
      if (writeBlock(folder, { ...block, text })) continue;
      if (block.language === 'sh') {
        const run = await shell(rig, folder, text);
        groups.push(run.pid);
        ({ printed } = run);
        assert.equal(run.code !== 0, block.fails === true, `${text}\nended with ${run.code} and printed:\n${printed}`);
        ran += 1;
      } else {
        for (const line of text.trim().split('\n')) assert.ok(printed.includes(line), `${JSON.stringify(line)} is not in:\n${printed}`);
      }
    }
    assert.ok(ran >= 5, 'the guide has commands');
    const [closed] = rig.devrig('inbox', 'list', 'is:any', 'ghosts').items;
    assert.equal(closed.state, 'closed', 'and the help desk was told');
  } finally {
    for (const pid of groups) killGroup(pid);
    owner.kill();
  }
}

/** Into a file: what stays in the background would hold a pipe open. */
async function shell(rig, folder, script) {
  const file = join(rig.folder, 'printed.txt');
  const out = openSync(file, 'w');
  const env = { ...rig.env, PATH: `${process.env.DEVRIG_BIN_DIR}${delimiter}${process.env.PATH}` };
  const child = spawn('sh', ['-euc', script], { cwd: folder, env, stdio: ['ignore', out, out], detached: true });
  const [code] = await once(child, 'exit');
  closeSync(out);
  return { code, pid: child.pid, printed: readFileSync(file, 'utf8') };
}

function killGroup(pid) {
  try {
    process.kill(-pid);
  } catch {
    // Nothing of it is left.
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
