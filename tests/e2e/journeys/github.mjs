// GitHub as a person uses it: connect with a token, items arrive, read one, comment, approve,
// merge, done, undo, and the same after a restart. The GitHub is a fake of our own on loopback.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { startGithub } from '../fakeGithub.mjs';
import { until } from '../webdriver.mjs';

export const name = 'GitHub: connect, read, comment, approve, merge, done, undo, restart';

const TITLE = 'Retry on 429';

const rows = () => [...document.querySelectorAll('[role="listbox"] [role="option"]')].map((row) => row.getAttribute('aria-label'));

export async function journey(rig) {
  const fake = await startGithub();
  try {
    await drive(rig, fake);
  } finally {
    fake.close();
  }
}

async function drive(rig, fake) {
  const pull = () => fake.ask('issue', { repo: 'acme/api', number: 1 });
  const shots = process.env.DEVRIG_E2E_SHOTS;
  const shoot = (file) => shots && rig.window.screenshot(join(shots, file));
  // A server of one's own has another address than github.com.
  rig.devrig('plugin', 'settings', 'github', '--set', `baseUrl=${fake.url}`, '--set', 'backfillDays=150');

  rig.window = await rig.open();
  const { window } = rig;
  await until('the page', async () => (await window.text()).includes('Inbox'));
  await window.press('g', 'p');
  await window.follow('GitHub');
  await window.sees('Personal access token');
  await window.sees('notifications');
  await shoot('github-connect.png');

  await window.type('[type="password"]', 'ghp_wrong');
  await window.click('button', 'Allow and connect');
  await window.sees('GitHub refuses the token');
  await shoot('github-refused.png');
  await window.type('[type="password"]', 'ghp_good');
  await window.click('button', 'Connect');
  await window.sees('Connected as kim');
  await shoot('github-connected.png');

  rig.devrig('plugin', 'sync', 'github');
  await window.run(() => document.activeElement?.blur());
  await window.press('g', 'i');
  await until('the items', async () => {
    const shown = await window.run(rows);
    return [TITLE, 'Crash on empty body', 'Dark mode'].every((title) => shown.some((row) => row.includes(title)));
  });
  const before = (await window.run(rows)).length;
  assert.equal((await window.run(rows)).filter((row) => row.includes(TITLE)).length, 1, 'a notification and a search are one item');

  await window.run((title) => [...document.querySelectorAll('[role="option"]')].find((row) => row.getAttribute('aria-label').includes(title)).click(), TITLE);
  await window.sees('Waits as long as the server asks.');
  await window.sees('Review requested from kim');
  await shoot('github-item.png');

  await window.click('button', 'Comment…');
  await window.type('[role="dialog"] textarea', 'Looks right to me.');
  await shoot('github-comment.png');
  await window.click('[role="dialog"] button', 'Comment');
  await until('the comment to arrive', async () => (await pull()).comments.some((comment) => comment.body === 'Looks right to me.'), 30);

  await window.click('button', 'Approve…');
  await until('the dialog', () => window.find('[role="dialog"]'));
  await window.click('[role="dialog"] button', 'Approve');
  await until('the approval to arrive', async () => (await pull()).reviews.some((review) => review.state === 'APPROVED'), 30);

  await window.click('button', 'Merge…');
  await until('the dialog', () => window.find('[role="dialog"]'));
  await shoot('github-merge.png');
  await window.click('[role="dialog"] button', 'Merge');
  await until('the merge to arrive', async () => (await pull()).merged, 30);
  await until('the item to say so', () => rig.devrig('inbox', 'list', 'is:any state:merged').items.some((item) => item.title === TITLE));
  // What is merged needs nobody: a rule that ships puts it away, says so, and can be taken back.
  const gone = () => window.run(rows).then((shown) => !shown.some((row) => row.includes(TITLE)));
  await until('the rule to put it away', gone);
  const byRule = rig.devrig('inbox', 'history').find((row) => row.actor === 'rule' && row.items.includes(TITLE));
  assert.equal(byRule.cause, 'rule Done when merged or closed');
  rig.devrig('inbox', 'undo', byRule.id);
  await until('the row to return', async () => (await window.run(rows)).length === before);
  await window.run((title) => [...document.querySelectorAll('[role="option"]')].find((row) => row.getAttribute('aria-label').includes(title)).click(), TITLE);
  await window.sees('merged');
  await shoot('github-merged.png');

  const list = () => window.run(() => document.querySelector('[role="listbox"]').focus());
  await list();
  await window.press('e');
  await until('the row to leave', gone);
  await window.press('z');
  await until('the row to return', async () => (await window.run(rows)).length === before);
  await list();
  await window.press('e');
  await until('one done item', () => rig.devrig('inbox', 'list', 'is:done').items.length === 1);

  const state = () => rig.devrig('inbox', 'list', 'is:any').items.map(({ id, title, state: at, triage }) => ({ id, title, at, triage }));
  const last = state();
  await window.close();
  await rig.stop();
  assert.deepEqual(state(), last, 'the command line finds the same without a window');
  rig.window = await rig.open();
  await until('the same rows', async () => (await rig.window.run(rows)).length === before - 1, 40);
  assert.deepEqual(state(), last, 'and so does the window');
  await rig.window.press('g', 'p');
  await rig.window.follow('GitHub');
  await rig.window.sees('Connected as kim');
}
