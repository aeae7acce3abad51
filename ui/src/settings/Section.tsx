import type { ReactNode } from 'react';

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-3 border-t border-line pt-4">
      <div className="flex min-h-7 items-center">
        <h2 className="flex-1 text-pane font-semibold">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
