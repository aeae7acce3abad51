// @vitest-environment jsdom
// DOMPurify is only right on a DOM that follows the standard closely.
import { describe, expect, test } from 'vitest';

import { renderMarkdown } from './markdown';

/** The page that the Markdown becomes, to be asked about rather than searched as text. */
function page(markdown: string): HTMLElement {
  const element = document.createElement('div');
  element.innerHTML = renderMarkdown(markdown);
  return element;
}

test('ordinary Markdown is shown', () => {
  const shown = page('# Title\n\n- one\n- **two** `code`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nx()\n```');
  expect(shown.querySelector('h1')?.textContent).toBe('Title');
  expect(shown.querySelectorAll('li')).toHaveLength(2);
  expect(shown.querySelector('strong')?.textContent).toBe('two');
  expect(shown.querySelectorAll('td')).toHaveLength(2);
  expect(shown.querySelector('pre code')?.textContent).toBe('x()\n');
});

describe('hostile Markdown', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)><a xlink:href="javascript:alert(1)">x</a></svg>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:msgbox(1))',
    '[x](file:///etc/passwd)',
    '<iframe src="https://example.com"></iframe>',
    '<style>body{display:none}</style>',
    '<a href="https://example.com" onclick="alert(1)">x</a>',
    '<form action="https://example.com"><input name=a></form>',
    '![x](https://tracker.example.com/pixel.png)',
    '![x](//tracker.example.com/pixel.png)',
    '![x](data:image/svg+xml,<svg onload=alert(1)>)',
    '![x" onerror="alert(1)](data:image/png;base64,AAAA)',
    '```" onmouseover="alert(1)\nx\n```',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  ])('%s has no effect', (markdown) => {
    const shown = page(markdown);
    expect(shown.querySelector('script, iframe, style, form, input, svg, math, object, embed, link, meta, base')).toBeNull();
    for (const element of shown.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|style|srcset/);
        if (name === 'href') expect(value).toMatch(/^(https?:|mailto:)/);
        if (name === 'src') expect(value).toMatch(/^data:image\/(png|jpeg|gif|webp);/);
      }
    }
  });
});

test('a remote image is a link that says so, and loads nothing', () => {
  const shown = page('![A graph](https://example.com/graph.png)');
  expect(shown.querySelector('img')).toBeNull();
  expect(shown.querySelector('a')?.getAttribute('href')).toBe('https://example.com/graph.png');
  expect(shown.textContent).toContain('Image not loaded: A graph');
});
