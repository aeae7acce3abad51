// @vitest-environment jsdom
// DOMPurify is only right on a DOM that follows the standard closely.
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { highlight } from './highlight';
import { namesLanguage, renderMarkdown } from './markdown';

function page(markdown: string): HTMLElement {
  const element = document.createElement('div');
  element.innerHTML = renderMarkdown(markdown, highlight);
  return element;
}
const fenced = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\``;

test.each([
  ['ts', 'const x: string = "a";'],
  ['typescript', 'interface A { b: number }'],
  ['js', 'let a = 1;'],
  ['jsx', 'const a = <b c="d" />;'],
  ['rust', 'fn main() { println!("a"); }'],
  ['rs', 'let mut a = 1;'],
  ['go', 'func main() { return 1 }'],
  ['py', 'def a(): return 1'],
  ['sh', 'echo "$HOME"'],
  ['bash', 'if true; then exit 1; fi'],
  ['json', '{"a": 1}'],
  ['yml', 'a: 1'],
  ['toml', '[a]\nb = 1'],
  ['ini', 'a = 1'],
  ['diff', '-a\n+b'],
  ['sql', 'SELECT 1 FROM a'],
  ['html', '<a href="b">c</a>'],
  ['xml', '<a b="c"/>'],
  ['css', 'a { color: red }'],
  ['java', 'public class A {}'],
  ['c', 'int main(void) { return 0; }'],
  ['cpp', 'class A { public: int b; };'],
  ['rb', 'def a; 1; end'],
  ['md', '# a'],
  ['dockerfile', 'FROM a\nRUN b'],
  ['Rust', 'let a = 1;'],
  ['js {1,2}', 'let a = 1;'],
])('%s is coloured, and its text is what it was', (language, code) => {
  const shown = page(fenced(language, code));
  expect(shown.querySelectorAll('pre code span').length).toBeGreaterThan(0);
  expect(shown.querySelector('code')!.textContent).toBe(`${code}\n`);
});

test.each([['brainfuck'], [''], ['constructor'], ['__proto__'], ['"><img src=x onerror=alert(1)>']])('%o is shown plain', (language) => {
  const shown = page(fenced(language, 'let a = 1; // <b>'));
  expect(shown.querySelectorAll('span, img')).toHaveLength(0);
  expect(shown.querySelector('code')!.textContent).toBe('let a = 1; // <b>\n');
});

test('without the highlighter, code is plain and all there', () => {
  expect(renderMarkdown(fenced('ts', 'a < b'))).toBe('<pre><code>a &lt; b\n</code></pre>\n');
});

describe('hostile code', () => {
  test.each([
    ['html', '<img src=x onerror=alert(1)><script>alert(1)</script>'],
    ['js', '"</span></code></pre><img src=x onerror=alert(1)>"'],
    ['ts', '`</code><script>alert(1)</script>${"<b>"}`'],
    ['md', '<span class="hljs-keyword fixed">x</span> [x](javascript:alert(1))'],
    ['xml', '<style>body{display:none}</style><![CDATA[<script>]]>'],
  ])('in %s has no effect', (language, code) => {
    const shown = page(fenced(language, code));
    expect(shown.querySelector('script, img, style, a')).toBeNull();
    expect(shown.querySelector('code')!.textContent).toBe(`${code}\n`);
    for (const element of shown.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) expect([name, value]).toEqual(['class', expect.stringMatching(/^text-(t1|t2|acc|ok|warn|err|info|ai)$/)]);
    }
  });

  test('a highlighter that goes wrong gets no other class or tag through', () => {
    const html = renderMarkdown(fenced('x', 'y'), () => '<span class="fixed inset-0">a</span><span class="text-ok fixed">b</span><b class="text-ok" onclick="x()">c</b><button>d</button>');
    expect(html).toBe('<pre><code><span>a</span><span>b</span><b>c</b>d</code></pre>\n');
  });
});

test('long code stays plain, and so does what comes after a lot of code', () => {
  const line = 'let a = 1;\n';
  expect(page(fenced('js', line.repeat(5000))).querySelector('span')).toBeNull();
  expect(page(fenced('js', line.repeat(4000))).querySelector('span')).not.toBeNull();
  const blocks = page(Array.from({ length: 6 }, () => fenced('js', line.repeat(4000))).join('\n\n')).querySelectorAll('pre');
  expect([...blocks].map((block) => block.querySelector('span') !== null)).toEqual([true, true, true, true, false, false]);
});

test.each([
  ['```ts\nx\n```', true],
  ['text\n\n~~~ rust\nx\n~~~', true],
  ['- a\n\n  ```go\n  x\n  ```', true],
  ['> ```sql\n> x\n> ```', true],
  ['```\nx\n```', false],
  ['`code` and text', false],
])('%o names a language: %s', (text, is) => {
  expect(namesLanguage(text)).toBe(is);
});

test('the highlighter is loaded by nothing but a lazy import', () => {
  const importers = ['../components/Markdown.tsx', './markdown.ts'].map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'));
  for (const source of importers) expect(source).not.toMatch(/from '.*(highlight\.js|\/highlight)/);
});
