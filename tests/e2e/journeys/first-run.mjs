// First run to restart, as a person does it: folders, grant, sync, triage with keys, undo, the
// same state after a restart, and the command line beside the window.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { Key, until } from '../webdriver.mjs';

export const name = 'first run: folders, grant, sync, triage with keys, undo, restart, same state';

/** The list as it is shown: each row's name and whether it has the focus. */
const rows = () => {
  const list = document.querySelector('[role="listbox"]');
  const active = list?.getAttribute('aria-activedescendant');
  return [...(list?.querySelectorAll('[role="option"]') ?? [])].map((row) => ({
    name: row.getAttribute('aria-label'),
    focused: row.id === active,
  }));
};

const named = (shown, words) => shown.find((row) => row.name.includes(words));

export async function journey(rig) {
  const shots = process.env.DEVRIG_E2E_SHOTS;
  const shoot = (file) => shots && rig.window.screenshot(join(shots, file));
  const folder = rig.repositories();
  rig.window = await rig.open();
  const window = rig.window;

  await window.sees('Welcome to DevRig');
  await shoot('first-run.png');
  await window.type('#folder', folder);
  await window.click('button', 'Add');
  await window.click('button', 'Continue');
  await window.sees('What Local Git may do');
  await shoot('grant.png');
  await window.click('button', 'Grant and look for items');

  const shown = await until(
    'the items of three repositories',
    async () => {
      const now = await window.run(rows);
      const all = ['lighthouse', 'harbour', 'compass'].every((repo) => named(now, repo));
      return all && now;
    },
    40,
  );
  await shoot('items.png');
  const before = shown.length;

  // The list takes the keys as soon as it is there.
  await window.run(() => document.querySelector('[role="listbox"]').focus());
  await window.press('j');
  await until('a focused row', async () => (await window.run(rows)).some((row) => row.focused));
  const focused = (await window.run(rows)).find((row) => row.focused).name;
  const [title] = rig.devrig('inbox', 'list').items
    .map((item) => item.title)
    .filter((each) => focused.includes(each));
  assert.ok(title, `the focused row ${JSON.stringify(focused)} is an item of the command line`);

  await window.press('e');
  await until('the row to leave', async () => (await window.run(rows)).length === before - 1);
  await window.sees('Done');
  assert.equal(rig.devrig('inbox', 'list', 'is:done').items[0].title, title);

  await window.press('z');
  await until('the row to return', async () => (await window.run(rows)).length === before);
  assert.equal(rig.devrig('inbox', 'list', 'is:done').items.length, 0);

  // Star one, finish another, and find both so after a restart.
  await window.press('s');
  await until('a star', () => rig.devrig('inbox', 'list', 'is:starred').items.length === 1);
  await window.press('j', 'e');
  await until('one done item', () => rig.devrig('inbox', 'list', 'is:done').items.length === 1);

  await window.press('/');
  await window.type('[aria-label="Filter"]', 'stash');
  await until('the stash alone', async () => {
    const now = await window.run(rows);
    return now.length === 1 && named(now, 'compass');
  });
  await window.press(Key.escape);
  await window.press(Key.escape);
  await until('all rows again', async () => (await window.run(rows)).length === before - 1);

  await window.run(() => document.activeElement?.blur());
  await window.press('g', 'p');
  await window.sees('Local Git');
  await shoot('plugins.png');
  await window.press('g', 's');
  await window.sees('Appearance');
  await shoot('settings.png');
  await window.press('g', 'i');
  await until('the list again', async () => (await window.run(rows)).length === before - 1);

  const state = () => {
    const { items } = rig.devrig('inbox', 'list', 'is:any');
    return items.map(({ id, title: name, triage }) => ({ id, name, triage }));
  };
  const last = state();
  await window.close();
  await rig.stop();
  assert.deepEqual(state(), last, 'the command line finds the same without a window');

  rig.window = await rig.open();
  await until('the same rows', async () => (await rig.window.run(rows)).length === before - 1, 40);
  assert.deepEqual(state(), last, 'and so does the window after a restart');
  assert.ok(!(await rig.window.text()).includes('Welcome to DevRig'), 'the first run is over');
  await shoot('restarted.png');
}
