// Everything that a service can do wrong, seen from the command line and in the window at once: each
// failure is told in words, costs the one source that has it, and ends by itself.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { startGithub } from '../fakeGithub.mjs';
import { until } from '../webdriver.mjs';

export const name = 'GitHub in trouble: limits, refusals, failures, conflicts, from the window and the command line';

const LIST = 'GET /notifications';
const SOURCE = 'github.notifications';

/** What happens, and what it is called. */
const TROUBLES = [
  [{ kind: 'status', status: 500 }, 'GitHub answered 500'],
  [{ kind: 'status', status: 503 }, 'GitHub answered 503'],
  [{ kind: 'status', status: 403, message: 'Must have admin rights' }, 'GitHub does not allow it: Must have admin rights'],
  [{ kind: 'status', status: 404, message: 'Not Found' }, 'it is not there'],
  [{ kind: 'json' }, 'cut or no JSON'],
  [{ kind: 'cut' }, 'the response broke off'],
  [{ kind: 'redirect', to: 'http://127.0.0.1:9/elsewhere' }, 'Reading notifications: port 9 of 127.0.0.1 is not granted'],
  [{ kind: 'secondary', seconds: 2 }, 'GitHub asks for a pause'],
  [{ kind: 'primary', seconds: 3 }, 'the hourly limit of requests is used up, until'],
];

export async function journey(rig) {
  const github = await startGithub();
  try {
    await drive(rig, github);
  } finally {
    github.close();
  }
}

async function drive(rig, github) {
  const shots = process.env.DEVRIG_E2E_SHOTS;
  const sync = (...more) => rig.result('', 'plugin', 'sync', 'github', '--source', SOURCE, ...more);
  const others = () => rig.devrig('plugin', 'status').filter((each) => each.plugin.includes('github') && each.source !== SOURCE);

  rig.devrig('plugin', 'settings', 'github', '--set', `baseUrl=${github.url}`, '--set', 'backfillDays=150');
  rig.window = await rig.open();
  const { window } = rig;
  await until('the page', async () => (await window.text()).includes('Inbox'));
  rig.devrig('plugin', 'grant', 'github', '--all');
  assert.equal(rig.result('ghp_good', 'plugin', 'connect', 'github').answer.connection.identity, 'kim');
  rig.devrig('plugin', 'sync', 'github');
  await window.press('g', 'p');
  await window.follow('GitHub');
  await window.sees('up to date');

  // Nothing new: one conditional request.
  const asked = (await github.ask('log')).length;
  assert.equal(sync().status, 0);
  assert.deepEqual((await github.ask('log')).slice(asked).map(({ status, conditional }) => [status, conditional]), [[304, true]]);

  for (const [fault, words] of TROUBLES) {
    await github.ask('fault', { match: LIST, ...fault });
    const { status, answer } = sync();
    assert.equal(status, 1, `${JSON.stringify(fault)}: ${JSON.stringify(answer)}`);
    const told = `${answer[0].error.message}. ${answer[0].error.hint ?? ''}`;
    assert.ok(told.includes(words), `${JSON.stringify(fault)} is told as ${JSON.stringify(told)}`);
    await window.sees(words);
    if (fault.kind === 'primary') await window.screenshot(join(shots ?? rig.folder, 'github-limit.png'));
    assert.ok(others().every(({ error }) => error === null), `${words}: the other sources go on`);
    await github.ask('clear-faults');
    // A person may try at once, but for a pause that the service asked for.
    await until(`it to be well after ${words}`, () => sync().status === 0);
    await until('the window to say so', async () => !(await window.text()).includes(words));
  }

  // Slow is no failure.
  await github.ask('fault', { match: LIST, kind: 'slow', ms: 3_000 });
  await window.click('button', 'Sync now');
  await window.sees('syncing');
  await until('the slow sync to end', async () => !(await window.text()).includes('syncing'));
  assert.equal(sync().status, 0);

  await conflicts(rig, github);

  // Pages: sixty threads come by two requests.
  for (let n = 0; n < 60; n++) await github.ask('pull', { repo: 'acme/web', title: `One of many ${n}`, notify: 'kim' });
  assert.equal(sync().status, 0);
  assert.equal(rig.devrig('inbox', 'list', 'is:any', 'many', '--limit', '100').items.length, 60);

  // A token that dies shows at its account; with another one all goes on.
  await github.ask('token', { token: 'ghp_good', state: 'expired' });
  const dead = sync();
  assert.equal(dead.status, 1);
  assert.equal(dead.answer[0].error.code, 'UNAUTHORIZED');
  await window.press('g', 'p');
  await window.follow('GitHub');
  await window.sees('GitHub refuses the token');
  await window.screenshot(join(shots ?? rig.folder, 'github-expired.png'));
  await github.ask('token', { token: 'ghp_new', login: 'kim' });
  await window.type('[type="password"]', 'ghp_new');
  await window.click('button', 'Connect');
  await window.sees('Connected as kim');
  await until('the sync to be well', () => sync().status === 0);
}

/** What others did meanwhile is told, and nothing is lost: from the shell, and in the window. */
async function conflicts(rig, github) {
  const { window } = rig;
  const [{ id }] = rig.devrig('inbox', 'list', 'is:any', 'retry').items;
  const waiting = () => rig.devrig('inbox', 'outbox').find((row) => row.itemId === id);
  await github.ask('push', { repo: 'acme/api', number: 1 });
  rig.devrig('inbox', 'action', id, 'github.merge');
  await until('the conflict', () => waiting()?.state === 'failed', 30);
  const told = JSON.stringify(waiting().error);
  assert.ok(told.includes('Head branch was modified'), told);
  rig.devrig('inbox', 'outbox', '--discard', waiting().id);

  await window.run(() => document.activeElement?.blur());
  await window.press('g', 'i');
  const open = () => {
    const row = [...document.querySelectorAll('[role="option"]')].find((each) => each.getAttribute('aria-label').includes('Retry on 429'));
    row?.click();
    return row !== undefined;
  };
  await until('the item', () => window.run(open));
  await window.click('button', 'Merge…');
  await until('the dialog', () => window.find('[role="dialog"]'));
  await window.click('[role="dialog"] button', 'Merge');
  await window.sees('Head branch was modified', 30);
  await window.screenshot(join(process.env.DEVRIG_E2E_SHOTS ?? rig.folder, 'github-conflict.png'));
  rig.devrig('inbox', 'outbox', '--discard', waiting().id);

  rig.devrig('inbox', 'action', id, 'github.unsubscribe');
  const subscription = async () => (await github.ask('threads')).find(({ title }) => title === 'Retry on 429').subscription;
  await until('the thread to be left', async () => (await subscription()) === 'none', 30);
}
