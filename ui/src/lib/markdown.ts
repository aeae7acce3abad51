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

const ALLOWED: Config = {
  ALLOWED_TAGS: [
    'a', 'b', 'blockquote', 'br', 'code', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'li', 'ol', 'p',
    'pre', 's', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
  ],
  ALLOWED_ATTR: ['href', 'alt', 'src', 'start'],
  ALLOWED_URI_REGEXP: LINKS,
  ALLOW_DATA_ATTR: false,
};

/** HTML that is safe to show: no scripts, handlers, styles, frames, remote images or odd addresses. */
export function renderMarkdown(text: string): string {
  return DOMPurify.sanitize(markdown.render(text), ALLOWED);
}
