// @vitest-environment node
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the script before the first paint reads what the settings write', () => {
  const script = readFileSync(new URL('../../public/theme.js', import.meta.url), 'utf8');
  const settings = readFileSync(new URL('./appearance.ts', import.meta.url), 'utf8');
  const key = /const KEY = '([^']+)'/.exec(settings)![1]!;
  const event = /new Event\('([^']+)'\)/.exec(settings)![1]!;
  expect(script).toContain(`localStorage.getItem('${key}')`);
  expect(script).toContain(`addEventListener('${event}', apply)`);
});
