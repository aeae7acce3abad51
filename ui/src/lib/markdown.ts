import DOMPurify, { type Config } from 'dompurify';
import MarkdownIt from 'markdown-it';

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: false });

// What may be linked: the sanitiser below says the same once more.
const LINKS = /^(?:https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);)/i;
markdown.validateLink = (url) => LINKS.test(url.trim());

// A remote image tells its server that, when and from where an item was read. It becomes a link.
markdown.renderer.rules['image'] = (tokens, index) => {
  const token = tokens[index]!;
  const source = String(token.attrGet('src') ?? '');
  const name = markdown.utils.escapeHtml(token.content || 'image');
  if (/^data:image\/(png|jpeg|gif|webp);/i.test(source)) {
    return `<img src="${markdown.utils.escapeHtml(source)}" alt="${name}">`;
  }
  return `<a href="${markdown.utils.escapeHtml(source)}">Image not loaded: ${name}</a>`;
};

/** Beyond these, code stays plain: colouring it would hold up the page. */
const BLOCK_CHARACTERS = 50_000;
const TEXT_CHARACTERS = 200_000;

/** The classes that coloured code is made of, and the only ones that the sanitiser keeps. */
const CODE_COLOURS = ['text-t1', 'text-t2', 'text-acc', 'text-ok', 'text-warn', 'text-err', 'text-info', 'text-ai'] as const;
export type CodeColour = (typeof CODE_COLOURS)[number];

/** Gives code as escaped HTML with colours, or null where it does not know the language. */
export type Highlight = (code: string, language: string) => string | null;

type Env = { highlight: Highlight | null; left: number };

markdown.renderer.rules['fence'] = (tokens, index, _options, env: Env) => {
  const { content, info } = tokens[index]!;
  const language = info.trim().split(/[\s{,]/)[0]!.toLowerCase();
  const colour = env.highlight !== null && language !== '' && content.length <= Math.min(BLOCK_CHARACTERS, env.left);
  if (colour) env.left -= content.length;
  const code = (colour ? env.highlight!(content, language) : null) ?? markdown.utils.escapeHtml(content);
  return `<pre><code>${code}</code></pre>\n`;
};

/** Whether a text may hold code that `Highlight` could colour. */
export function namesLanguage(text: string): boolean {
  return /^[ \t>*+\-\d.]*(?:```+|~~~+)[ \t]*\w/m.test(text);
}

DOMPurify.addHook('uponSanitizeAttribute', (element, attribute) => {
  if (attribute.attrName !== 'class') return;
  attribute.keepAttr = element.tagName === 'SPAN' && (CODE_COLOURS as readonly string[]).includes(attribute.attrValue);
});

const ALLOWED: Config = {
  ALLOWED_TAGS: [
    'a', 'b', 'blockquote', 'br', 'code', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'li', 'ol', 'p',
    'pre', 's', 'span', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
  ],
  ALLOWED_ATTR: ['href', 'alt', 'src', 'start', 'class'],
  ALLOWED_URI_REGEXP: LINKS,
  ALLOW_DATA_ATTR: false,
};

/** HTML that is safe to show: no scripts, handlers, styles, frames, remote images or odd addresses. */
export function renderMarkdown(text: string, highlight: Highlight | null = null): string {
  const env: Env = { highlight, left: TEXT_CHARACTERS };
  return DOMPurify.sanitize(markdown.render(text, env), ALLOWED);
}
