// @vitest-environment node
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { contrast } from './lib/contrast';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

/** The colours of one theme, from the file that the app loads. */
function tokens(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf('\n}', start));
  return Object.fromEntries([...block.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]));
}

const THEMES = { light: tokens(':root'), dark: tokens("[data-theme='dark']") };
const TEXT = ['t1', 't2', 't3', 'acc', 'ok', 'warn', 'err', 'info', 'ai'];
const GROUNDS = ['bg0', 'bg1', 'bg2', 'sel'];

const PAIRS: [string, string, number][] = [
  ...TEXT.flatMap((text) => GROUNDS.map((ground): [string, string, number] => [text, ground, 4.5])),
  ...['bg0', 'bg1', 'bg2'].map((ground): [string, string, number] => ['lineS', ground, 3]),
  ...['ok', 'warn', 'err', 'info', 'ai'].map((hue): [string, string, number] => [hue, `${hue}Bg`, 4.5]),
  ['onAcc', 'acc', 4.5],
];

test('the contrast of two known colours is the one that WCAG gives', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

for (const [theme, colours] of Object.entries(THEMES)) {
  test(`every pair of the ${theme} theme keeps its contrast`, () => {
    const low = PAIRS.filter(([a, b, least]) => {
      expect(colours[a], `${a} is a colour of the ${theme} theme`).toBeDefined();
      expect(colours[b], `${b} is a colour of the ${theme} theme`).toBeDefined();
      return contrast(colours[a]!, colours[b]!) < least;
    });
    expect(low).toEqual([]);
  });
}
