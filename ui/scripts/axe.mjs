// Runs axe over every state in both themes; any violation, and any error on the console, fails it.
import AxeBuilder from '@axe-core/playwright';

import { openBrowser, openPage, serveFake } from './serve.mjs';
import { STATES, THEMES } from './states.mjs';

const server = await serveFake();
const browser = await openBrowser();
let violations = 0;
let runs = 0;
for (const state of STATES) {
  for (const theme of THEMES) {
    const { page, problems } = await openPage(browser.context, server.url, { ...state, theme });
    await state.act(page);
    await page.waitForTimeout(150);
    const result = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    runs += 1;
    for (const problem of problems) {
      violations += 1;
      console.error(`${state.name} (${theme}) console: ${problem}`);
    }
    for (const violation of result.violations) {
      violations += 1;
      console.error(`${state.name} (${theme}) ${violation.id}: ${violation.help}`);
      for (const node of violation.nodes.slice(0, 4)) console.error(`  ${node.target.join(' ')}\n    ${node.failureSummary?.split('\n').slice(1).join(' ')}`);
    }
    await page.close();
  }
}
await browser.close();
server.close();
console.log(`axe: ${runs} runs, ${violations} violation${violations === 1 ? '' : 's'}`);
process.exitCode = violations === 0 ? 0 : 1;
