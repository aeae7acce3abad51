// The desktop around the window: a real tray and a real notification daemon. The button of a
// notification marks its item done, the icon counts, the menu acts, and the window closes into the
// tray and comes back.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Notifications, Tray } from '../desktopPeers.mjs';
import { until } from '../webdriver.mjs';

export const name = 'desktop: tray with count and menu, notifications with buttons, close to tray, links';

/** Ids of the visible windows of the app. */
function windows(rig) {
  const { stdout } = spawnSync('xdotool', ['search', '--onlyvisible', '--name', '^DevRig$'], { env: rig.env, encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean);
}

/** Asks the window to close, as its frame's button does. */
function closeWindow(rig) {
  spawnSync('xdotool', ['windowquit', windows(rig)[0]], { env: rig.env });
}

const item = (title, more = {}) => JSON.stringify({ externalId: title, type: 'note', title, isActionable: true, externalUpdatedAt: new Date().toISOString(), ...more });

export async function journey(rig) {
  const shots = process.env.DEVRIG_E2E_SHOTS;
  const screen = (file) => shots && execFileSync('import', ['-window', 'root', join(shots, file)], { env: rig.env });
  const notifications = await Notifications.start(rig);
  const tray = await Tray.start(rig);
  const importing = (...lines) => assert.equal(rig.result(lines.join('\n'), 'inbox', 'import', '-').status, 0);
  const titles = (query) => rig.devrig('inbox', 'list', query).items.map((each) => each.title);

  // Into the tray without a window, as at login.
  rig.start('devrig-desktop', '--hidden');
  await rig.answers();
  await until('the icon', () => tray.item()?.title.includes('nothing waiting'));
  screen('tray-only.png');

  importing(item('Review the <b>lamp</b> & co', { repo: 'harbour/lamp', reason: 'review_requested' }));
  await until('the count', () => tray.item().title === 'DevRig: 1 waiting');
  assert.ok(tray.item().entries.some((each) => each.label.startsWith('Review the')), 'the newest is in the menu');
  assert.deepEqual(rig.devrig('inbox', 'attention').count, 1);

  await until('the notification', () => notifications.shown() === 1, 20);
  screen('notification.png');
  notifications.press('Done');
  await until('the item to be done', () => titles('is:done').length === 1);
  notifications.clear();
  await until('the screen to be clear', () => notifications.shown() === 0);
  await until('the count to go', () => tray.item().title.includes('nothing waiting'));

  // Many are told as one, with what they say told as text.
  importing(...['a', 'b', 'c', 'd', 'e'].map((each) => item(`Item ${each}`)));
  await until('one notification', () => notifications.shown() === 1, 20);
  screen('notifications-as-one.png');
  notifications.clear();
  await until('it to go', () => notifications.past().length === 2);
  const past = notifications.past();
  assert.equal(past[0].title, '5 new items', JSON.stringify(past));
  assert.equal(past.find((each) => each.title.startsWith('Review'))?.body, 'harbour/lamp · review requested', JSON.stringify(past));

  // The menu pauses, and says so.
  tray.choose('Pause notifications for 1 hour');
  await until('the pause', () => tray.item().entries.some((each) => each.label === 'Resume notifications'));
  assert.ok(Date.parse(rig.devrig('settings', 'get', 'notifications.pausedUntil')) > Date.now());
  tray.choose('Resume notifications');
  await until('the end of the pause', () => rig.devrig('settings', 'get', 'notifications.pausedUntil') === null);

  // Starting at login is an entry of the desktop's own, made and taken away.
  const entry = join(rig.env.XDG_CONFIG_HOME, 'autostart/DevRig.desktop');
  rig.devrig('settings', 'set', 'desktop.autostart', 'true');
  assert.match(readFileSync(entry, 'utf8'), /devrig-desktop --hidden/);
  rig.devrig('settings', 'set', 'desktop.autostart', 'false');
  assert.ok(!existsSync(entry));

  tray.choose('Quit DevRig');
  await until('the end', () => !existsSync(join(rig.home, 'run/engine.sock')));

  // The window closes into the tray, and comes back by a click, and at an item by a link.
  rig.window = await rig.open();
  await rig.window.sees('Item a');
  await until('the icon of the window', () => tray.item()?.title === 'DevRig: 5 waiting');
  await until('the window', () => windows(rig).length === 1);
  closeWindow(rig);
  await until('the window to hide', () => windows(rig).length === 0);
  assert.equal(rig.devrig('status').owner, 'window', 'DevRig goes on in the tray');
  importing(item('Deploy waits for you'));
  await until('the notification of the hidden window', () => notifications.shown() === 1, 20);
  notifications.click();
  await until('the window to return', () => windows(rig).length === 1);
  await rig.window.sees('Deploy waits for you');
  screen('from-notification.png');

  closeWindow(rig);
  await until('the window to hide again', () => windows(rig).length === 0);
  rig.start('devrig-desktop', 'devrig://settings');
  await until('the window at a link', () => windows(rig).length === 1);
  await rig.window.sees('Closing the window leaves DevRig in the tray');
  screen('from-link.png');

  rig.devrig('settings', 'set', 'desktop.closeToTray', 'false');
  closeWindow(rig);
  await until('the end', () => !existsSync(join(rig.home, 'run/engine.sock')));
}
