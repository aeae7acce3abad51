import { create } from 'zustand';

const useLive = create<{ text: string; turn: number }>(() => ({ text: '', turn: 0 }));

/** Tells screen readers, politely, what just happened. */
export function announce(text: string): void {
  useLive.setState((old) => ({ text, turn: old.turn + 1 }));
}

/** Mounted once. Two regions in turn, so that the same sentence is read twice. */
export function LiveRegion() {
  const { text, turn } = useLive();
  return (
    <>
      <div role="status" aria-live="polite" className="sr-only">
        {turn % 2 === 0 ? text : ''}
      </div>
      <div role="status" aria-live="polite" className="sr-only">
        {turn % 2 === 1 ? text : ''}
      </div>
    </>
  );
}
