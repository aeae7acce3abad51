import { useEffect, useLayoutEffect, useMemo, useRef, useState, type MouseEvent } from 'react';

import { platform } from '../api/client';
import { namesLanguage, renderMarkdown, type Highlight } from '../lib/markdown';
import { toError } from '../platform/platform';
import { announce } from './live';
import { toastError } from './toast';

/** Sanitised Markdown. A link opens outside of the window, and only on a click. */
export default function Markdown({ text }: { text: string }) {
  const highlight = useHighlight(text);
  const html = useMemo(() => ({ __html: renderMarkdown(text, highlight) }), [text, highlight]);
  const body = useRef<HTMLDivElement>(null);
  // Once for each text that is put into the page.
  // eslint-disable-next-line react/exhaustive-effect-dependencies
  useLayoutEffect(() => (body.current ? addCopyButtons(body.current) : undefined), [html]);
  const onClick = (event: MouseEvent) => {
    const target = event.target as Element;
    const copy = target.closest<HTMLButtonElement>('button[data-copy]');
    if (copy) void copyCode(copy);
    const link = target.closest('a');
    if (!link) return;
    event.preventDefault();
    platform()
      .openUrl(link.href)
      .catch((thrown: unknown) => toastError('The link was not opened', toError(thrown)));
  };
  // The links inside are reached and pressed by keyboard themselves; this only listens to them.
  // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
  return <div ref={body} className="md selectable" onClick={onClick} onAuxClick={onClick} dangerouslySetInnerHTML={html} />;
}

let loaded: Highlight | null = null;

/** The colours of code, once a text has some to colour; until then it is shown plain. */
function useHighlight(text: string): Highlight | null {
  const [highlight, setHighlight] = useState(() => loaded);
  const wanted = highlight === null && namesLanguage(text);
  useEffect(() => {
    if (!wanted) return;
    let stopped = false;
    // Without its colours the code is still all there.
    import('../lib/highlight').then(
      (module) => {
        loaded = module.highlight;
        if (!stopped) setHighlight(() => module.highlight);
      },
      () => undefined,
    );
    return () => {
      stopped = true;
    };
  }, [wanted]);
  return highlight;
}

/**
 * Puts every block of code into a box with a copy button. Added to the page after the sanitiser, which lets
 * no button of a text through; React leaves alone what is inside of the text.
 */
function addCopyButtons(body: HTMLElement): () => void {
  const boxes = [...body.querySelectorAll('pre')].map((pre) => {
    const box = document.createElement('div');
    box.className = 'group relative max-w-none';
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset['copy'] = '';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy code');
    button.className =
      'absolute top-1 right-1 h-6 rounded-ctl border border-lineS bg-bg1 px-1.5 font-sans text-meta text-t1 select-none opacity-0 group-hover:opacity-100 group-focus-within:opacity-100 data-copied:opacity-100';
    pre.replaceWith(box);
    box.append(pre, button);
    // What scrolls has to be within reach of the keyboard.
    if (pre.scrollWidth > pre.clientWidth) pre.tabIndex = 0;
    return { box, pre };
  });
  return () => {
    for (const { box, pre } of boxes) box.replaceWith(pre);
  };
}

async function copyCode(button: HTMLButtonElement): Promise<void> {
  const code = button.parentElement?.querySelector('code');
  if (!code) return;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch (thrown) {
    if (!copySelected(code)) {
      toastError('The code was not copied', toError(thrown));
      return;
    }
  }
  announce('Copied');
  button.textContent = 'Copied';
  button.dataset['copied'] = '';
  setTimeout(() => {
    button.textContent = 'Copy';
    delete button.dataset['copied'];
  }, 2000);
}

/** The older way, for a web view that keeps the clipboard from pages. */
function copySelected(element: Element): boolean {
  window.getSelection()?.selectAllChildren(element);
  const copied = document.execCommand('copy');
  window.getSelection()?.removeAllRanges();
  return copied;
}
