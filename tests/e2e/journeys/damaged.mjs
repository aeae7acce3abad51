// A database that cannot be read: the window says so, and a backup brings everything back.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startFrames } from '../desktopPeers.mjs';
import { until } from '../webdriver.mjs';

export const name = 'a damaged database: the window says so, and a backup brings it back';

export async function journey(rig) {
  const shots = process.env.DEVRIG_E2E_SHOTS;
  const line = JSON.stringify({ externalId: 'a', type: 'note', title: 'Not to be lost' });
  assert.equal(rig.result(line, 'inbox', 'import', '-').status, 0);
  const { path } = rig.devrig('db', 'backup');

  const file = join(rig.home, 'data/devrig.db');
  for (const more of ['-wal', '-shm']) spawnSync('rm', ['-f', file + more]);
  writeFileSync(file, 'no database '.repeat(1_000));
  const told = rig.result('', 'inbox', 'list');
  assert.equal(told.status, 1);
  assert.match(told.error, /DATABASE_CORRUPT/);

  await startFrames(rig);
  const app = rig.start('devrig-desktop');
  const ended = once(app, 'exit');
  const dialog = () => spawnSync('xdotool', ['search', '--onlyvisible', '--name', 'DevRig could not start'], { env: rig.env, encoding: 'utf8' }).stdout.trim();
  await until('the dialog', () => dialog() !== '');
  if (shots) execFileSync('import', ['-window', 'root', join(shots, 'damaged.png')], { env: rig.env });
  spawnSync('xdotool', ['windowactivate', '--sync', dialog().split('\n')[0], 'key', 'Return'], { env: rig.env });
  assert.equal((await ended)[0], 1, 'it ends when it was read');

  rig.devrig('db', 'restore', path);
  assert.deepEqual(rig.devrig('inbox', 'list').items.map((each) => each.title), ['Not to be lost']);
  rig.window = await rig.open();
  await rig.window.sees('Not to be lost');
}
