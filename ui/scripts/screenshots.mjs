// Pictures of every state in both themes: `npm run screenshots -w ui -- FOLDER [NAME…]`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { openBrowser, openPage, serveFake } from './serve.mjs';
import { STATES, THEMES } from './states.mjs';

const [folder = join(process.cwd(), 'node_modules', '.shots'), ...names] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const server = await serveFake();
const browser = await openBrowser();
let failed = false;
for (const state of STATES.filter((each) => names.length === 0 || names.includes(each.name))) {
  for (const theme of THEMES) {
    const { page, problems } = await openPage(browser.context, server.url, { ...state, theme });
    try {
      await state.act(page);
      await page.waitForTimeout(200);
    } catch (error) {
      problems.push(`${error}`.split('\n').slice(0, 3).join(' '));
    }
    await page.screenshot({ path: join(folder, `${state.name}-${theme}.png`) });
    await page.close();
    if (problems.length > 0) {
      failed = true;
      console.error(`${state.name} (${theme}): ${problems.join('\n  ')}`);
    }
  }
}
await browser.close();
server.close();
process.exitCode = failed ? 1 : 0;
