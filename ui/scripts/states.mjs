/** Every state that has a picture and an accessibility run: where it is, and how to get there. */
const row = (page) => page.getByRole('option').first().waitFor();

export const STATES = [
  { name: 'inbox', path: '/inbox', act: row },
  { name: 'inbox-selected', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('x'); await page.keyboard.press('Shift+J'); await page.keyboard.press('Shift+J'); } },
  { name: 'inbox-snooze', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('j'); await page.keyboard.press('h'); await page.getByRole('dialog', { name: 'Snooze' }).waitFor(); } },
  { name: 'inbox-done-toast', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('e'); await page.getByText('Undo z').waitFor(); } },
  { name: 'inbox-keys', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('?'); await page.getByRole('dialog', { name: 'Keys' }).waitFor(); } },
  { name: 'inbox-palette', path: '/inbox', act: async (page) => { await row(page); await page.keyboard.press('Control+k'); await page.getByRole('dialog', { name: 'Command palette' }).waitFor(); } },
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
  { name: 'inbox-1000', path: '/inbox', width: 1000, height: 640, act: row },
  { name: 'inbox-720', path: '/inbox', width: 720, height: 480, act: row },
  { name: 'first-run-1', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Choose…' }).click(); } },
  { name: 'first-run-2', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Choose…' }).click(); await page.getByRole('button', { name: 'Continue' }).click(); await page.getByRole('button', { name: 'Grant and look for items' }).waitFor(); } },
  { name: 'first-run-3', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Choose…' }).click(); await page.getByRole('button', { name: 'Continue' }).click(); await page.getByRole('button', { name: 'Grant and look for items' }).click(); await row(page); await page.keyboard.press('j'); } },
  { name: 'first-run-connect', path: '/inbox', scenario: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Connect Forge' }).click(); await page.getByLabel('Access token').waitFor(); } },
  { name: 'plugins-connect', path: '/plugins/devrig-plugin-forge', act: (page) => page.getByLabel('Access token').waitFor() },
  { name: 'plugins-connected', path: '/plugins/devrig-plugin-forge', act: async (page) => { await page.getByLabel('Access token').fill('tok'); await page.getByRole('button', { name: 'Allow and connect' }).click(); await page.getByText('Connected as').waitFor(); } },
  { name: 'plugins', path: '/plugins/devrig-plugin-git-local', act: (page) => page.getByRole('button', { name: 'Log' }).click() },
  { name: 'plugins-error', path: '/plugins/devrig-plugin-builds', height: 1300, act: (page) => page.getByRole('button', { name: 'Sync now' }).waitFor() },
  { name: 'plugins-locked', path: '/plugins/devrig-plugin-builds', scenario: 'locked', act: (page) => page.getByRole('button', { name: 'Unlock' }).first().waitFor() },
  { name: 'settings', path: '/settings', height: 1200, act: (page) => page.getByText('seccomp').waitFor() },
  { name: 'settings-locked', path: '/settings', scenario: 'locked', act: (page) => page.getByRole('button', { name: 'Unlock' }).first().waitFor() },
];

export const THEMES = ['light', 'dark'];
