import type { ReactNode } from 'react';

import { cx } from '../lib/cx';

export type Tone = 'plain' | 'ok' | 'warn' | 'err' | 'info' | 'ai';

const TONES: Record<Tone, string> = {
  plain: 'bg-bg2 text-t2',
  ok: 'bg-okBg text-ok',
  warn: 'bg-warnBg text-warn',
  err: 'bg-errBg text-err',
  info: 'bg-infoBg text-info',
  ai: 'bg-aiBg text-ai',
};

export function Chip({ tone = 'plain', children, title }: { tone?: Tone; children: ReactNode; title?: string | undefined }) {
  return (
    <span title={title} className={cx('inline-flex h-4 max-w-40 shrink-0 items-center gap-1 truncate rounded-ctl px-1.5 text-meta whitespace-nowrap', TONES[tone])}>
      {children}
    </span>
  );
}
