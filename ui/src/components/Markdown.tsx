import { useMemo, type MouseEvent } from 'react';

import { platform } from '../api/client';
import { renderMarkdown } from '../lib/markdown';
import { toError } from '../platform/platform';
import { toastError } from './toast';

/** Sanitised Markdown. A link opens outside of the window, and only on a click. */
export default function Markdown({ text }: { text: string }) {
  const html = useMemo(() => ({ __html: renderMarkdown(text) }), [text]);
  const onClick = (event: MouseEvent) => {
    const link = (event.target as Element).closest('a');
    if (!link) return;
    event.preventDefault();
    platform()
      .openUrl(link.href)
      .catch((thrown: unknown) => toastError('The link was not opened', toError(thrown)));
  };
  // The links inside are reached and pressed by keyboard themselves; this only listens to them.
  // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
  return <div className="md selectable" onClick={onClick} onAuxClick={onClick} dangerouslySetInnerHTML={html} />;
}
