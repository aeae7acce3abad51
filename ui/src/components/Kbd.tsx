import type { ReactNode } from 'react';

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex min-w-4 items-center justify-center rounded-ctl bg-bg2 px-1 font-mono text-meta whitespace-nowrap text-t2">{children}</kbd>
  );
}
