import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import markdown from 'highlight.js/lib/languages/markdown';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

import type { CodeColour } from './markdown';

// A chunk of its own: only a text with a named language in it loads this file.
const LANGUAGES = { bash, c, cpp, css, diff, dockerfile, go, ini, java, javascript, json, markdown, python, ruby, rust, sql, typescript, xml, yaml };
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

/** What highlight.js finds, in the colours of UI.md; what is not listed stays in the colour of the text. */
const COLOURS: Record<string, CodeColour> = {
  keyword: 'text-acc', 'selector-tag': 'text-acc', 'template-tag': 'text-acc', name: 'text-acc', tag: 'text-acc', section: 'text-acc', link: 'text-acc',
  string: 'text-ok', regexp: 'text-ok', addition: 'text-ok', code: 'text-ok',
  number: 'text-warn', literal: 'text-warn', symbol: 'text-warn', bullet: 'text-warn',
  comment: 'text-t2', quote: 'text-t2', meta: 'text-t2', doctag: 'text-t2',
  title: 'text-info', attr: 'text-info', attribute: 'text-info', property: 'text-info', 'selector-class': 'text-info', 'selector-id': 'text-info',
  type: 'text-ai', built_in: 'text-ai', variable: 'text-ai', 'template-variable': 'text-ai', 'selector-pseudo': 'text-ai',
  deletion: 'text-err',
};

/** The code as HTML, escaped by highlight.js, in spans with a colour; null where the language is not known. */
export function highlight(code: string, language: string): string | null {
  if (!hljs.getLanguage(language)) return null;
  const { value } = hljs.highlight(code, { language, ignoreIllegals: true });
  // Safe to do on the text: in the code itself every < and " is escaped.
  return value.replace(/<span class="(?:hljs-([\w-]+))?[^"]*">/g, (_, scope: string | undefined) => `<span class="${COLOURS[scope ?? ''] ?? 'text-t1'}">`);
}
