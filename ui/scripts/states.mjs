/** Every state that has a picture and an accessibility run: where it is, and how to get there. */
const row = (page) => page.getByRole('option').first().waitFor();
const groupBy = async (page, by) => {
  await row(page);
  await page.getByRole('button', { name: /^Group:/ }).click();
  await page.getByRole('menuitemradio', { name: by }).click();
  await page.getByRole('group').first().waitFor();
};

export const STATES = [
  { name: 'inbox', path: '/inbox', act: row },
  { name: 'inbox-selected', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('x'); await page.keyboard.press('Shift+J'); await page.keyboard.press('Shift+J'); } },
  { name: 'inbox-snooze', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('j'); await page.keyboard.press('h'); await page.getByRole('dialog', { name: 'Snooze' }).waitFor(); } },
  { name: 'inbox-done-toast', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('e'); await page.getByText('Undo z').waitFor(); } },
  { name: 'inbox-keys', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('?'); await page.getByRole('dialog', { name: 'Keys' }).waitFor(); } },
  { name: 'inbox-palette', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('Control+k'); await page.getByRole('dialog', { name: 'Command palette' }).waitFor(); } },
  { name: 'palette-search', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('Control+k'); await page.getByRole('dialog', { name: 'Command palette' }).waitFor(); await page.keyboard.type('is:unread repo:ledger'); await page.getByText('Search: is:unread').waitFor(); } },
  { name: 'palette-recent', path: '/plugins', act: async (page) => { const palette = page.getByRole('dialog', { name: 'Command palette' }); await page.keyboard.press('Control+k'); await palette.waitFor(); await page.keyboard.type('comfortable'); await page.keyboard.press('Enter'); await palette.waitFor({ state: 'hidden' }); await page.keyboard.press('Control+k'); await page.getByRole('group', { name: 'Recent' }).waitFor(); } },
  { name: 'inbox-code', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('j'); await page.locator('pre span').first().waitFor(); await page.locator('button[data-copy]').first().focus(); } },
  { name: 'inbox-filter-error', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('/'); await page.keyboard.type('is:inbox colour:red'); await page.getByText('colour:red is not known').waitFor(); } },
  { name: 'inbox-filter-empty', path: '/inbox?q=repo:nowhere%20conflict', act: (page) => page.getByText('Nothing matches').waitFor() },
  { name: 'inbox-empty', path: '/inbox', scenario: 'empty', act: (page) => page.getByText('Nothing waiting').waitFor() },
  { name: 'inbox-loading', path: '/inbox', scenario: 'slow', act: (page) => page.waitForTimeout(500) },
  { name: 'inbox-error', path: '/inbox', scenario: 'broken', act: async (page) => { await page.getByRole('button', { name: 'Details' }).click(); } },
  { name: 'inbox-offline', path: '/inbox', scenario: 'offline', act: row },
  { name: 'inbox-syncing', path: '/inbox', scenario: 'syncing', act: row },
  { name: 'inbox-source-failed', path: '/inbox?view=source:acc_builds', act: row },
  { name: 'inbox-action-form', path: '/inbox?view=source:acc_builds', act: async (page) => { await row(page); await page.getByRole('button', { name: 'Restart build' }).click(); await page.getByRole('button', { name: 'Restart build', exact: true }).click(); } },
  { name: 'inbox-comfortable', path: '/inbox', density: 'comfortable', act: row },
  { name: 'inbox-million-end', path: '/inbox', scenario: 'million', act: async (page) => { await row(page); await page.keyboard.press('End'); await page.getByRole('option', { name: /Item 1000000\./ }).waitFor(); await page.keyboard.press('k'); } },
  { name: 'inbox-grouped', path: '/inbox', act: async (page) => { await groupBy(page, 'repository'); await page.keyboard.press('Shift+X'); for (let n = 0; n < 16; n += 1) await page.keyboard.press('j'); await page.mouse.move(600, 400); await page.mouse.wheel(0, 60); } },
  { name: 'inbox-grouped-day', path: '/inbox', act: (page) => groupBy(page, 'day') },
  { name: 'inbox-grouped-end', path: '/inbox', scenario: 'million', act: async (page) => { await groupBy(page, 'day'); await page.getByText('Grouped: the newest').waitFor(); await page.keyboard.press('End'); await page.getByText('Grouped: the newest').scrollIntoViewIfNeeded(); } },
  { name: 'inbox-group-menu', path: '/inbox', act: async (page) => { await row(page); await page.getByRole('button', { name: 'Group: none' }).click(); await page.getByRole('menuitemradio', { name: 'day' }).waitFor(); } },
  { name: 'inbox-1000', path: '/inbox', width: 1000, height: 640, act: row },
  { name: 'inbox-720', path: '/inbox', width: 720, height: 480, act: row },
  { name: 'first-run-1', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Choose…' }).click(); } },
  { name: 'first-run-2', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Choose…' }).click(); await page.getByRole('button', { name: 'Continue' }).click(); await page.getByRole('button', { name: 'Grant and look for items' }).waitFor(); } },
  { name: 'first-run-3', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Choose…' }).click(); await page.getByRole('button', { name: 'Continue' }).click(); await page.getByRole('button', { name: 'Grant and look for items' }).click(); await row(page); await page.keyboard.press('j'); } },
  { name: 'first-run-connect', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Connect Forge' }).click(); await page.getByLabel('Access token').waitFor(); } },
  { name: 'history', path: '/history', act: async (page) => { await page.getByRole('row', { name: /^Done/ }).first().waitFor(); await page.keyboard.press('j'); await page.keyboard.press('z'); await page.getByText('undone').nth(1).waitFor(); await page.keyboard.press('j'); } },
  { name: 'history-720', path: '/history', width: 720, height: 480, act: (page) => page.getByRole('row', { name: /^Done/ }).first().waitFor() },
  { name: 'history-empty', path: '/history', scenario: 'first-run', act: (page) => page.getByText('Nothing was done yet').waitFor() },
  { name: 'history-loading', path: '/history', scenario: 'slow', act: (page) => page.waitForTimeout(500) },
  { name: 'history-error', path: '/history', scenario: 'broken', act: (page) => page.getByRole('button', { name: 'Details' }).click() },
  { name: 'plugins-connect', path: '/plugins/devrig-plugin-forge', act: (page) => page.getByLabel('Access token').waitFor() },
  { name: 'plugins-connected', path: '/plugins/devrig-plugin-forge', act: async (page) => { await page.getByLabel('Access token').fill('tok'); await page.getByRole('button', { name: 'Allow and connect' }).click(); await page.getByText('Connected as').waitFor(); } },
  { name: 'inbox-splits', path: '/inbox', act: async (page) => { await row(page); await page.getByRole('button', { name: 'Edit splits' }).click(); await page.getByRole('textbox', { name: 'Splits' }).waitFor(); } },
  { name: 'rules', path: '/rules', act: (page) => page.getByText('Done when merged or closed').waitFor() },
  { name: 'rules-new', path: '/rules', act: async (page) => { await page.getByRole('button', { name: 'New rule' }).click(); await page.getByLabel('When an item matches').fill('type:build'); await page.getByText('matching items').waitFor(); } },
  { name: 'plugins', path: '/plugins/devrig-plugin-git-local', act: (page) => page.getByRole('button', { name: 'Log' }).click() },
  { name: 'plugins-error', path: '/plugins/devrig-plugin-builds', height: 1300, act: (page) => page.getByRole('button', { name: 'Sync now' }).waitFor() },
  { name: 'plugins-locked', path: '/plugins/devrig-plugin-builds', scenario: 'locked', act: (page) => page.getByRole('button', { name: 'Unlock' }).first().waitFor() },
  { name: 'settings', path: '/settings', height: 1200, act: (page) => page.getByText('seccomp').waitFor() },
  { name: 'settings-keys', path: '/settings', scenario: 'broken-keys', height: 1200, act: async (page) => { await page.getByText('There is no command').waitFor(); await page.getByRole('button', { name: /^Done: d/ }).focus(); } },
  { name: 'settings-keys-editor', path: '/settings', act: async (page) => { await page.getByRole('button', { name: /^Next item: j/ }).click(); await page.keyboard.press('s'); await page.getByText('is the key of').waitFor(); } },
  { name: 'settings-keys-reset', path: '/settings', scenario: 'broken-keys', act: async (page) => { await page.getByRole('button', { name: 'Reset all' }).click(); } },
  { name: 'settings-locked', path: '/settings', scenario: 'locked', act: (page) => page.getByRole('button', { name: 'Unlock' }).first().waitFor() },
];

export const THEMES = ['light', 'dark'];
