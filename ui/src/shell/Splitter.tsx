import type { KeyboardEvent, PointerEvent } from 'react';

type Props = { label: string; value: number; min: number; max: number; usual: number; onChange: (width: number) => void };

/** A line that is dragged, moved by arrow keys in steps of 16 px, and reset by a double click. */
export function Splitter({ label, value, min, max, usual, onChange }: Props) {
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const from = event.clientX;
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    const onMove = (move: globalThis.PointerEvent) => onChange(value + move.clientX - from);
    const onUp = () => {
      handle.removeEventListener('pointermove', onMove);
      handle.removeEventListener('lostpointercapture', onUp);
    };
    handle.addEventListener('pointermove', onMove);
    handle.addEventListener('lostpointercapture', onUp);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onChange(value + step);
  };
  return (
    // A focusable separator is a widget (ARIA 1.2), which the rule does not know.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={Math.round(value)}
      aria-valuemin={min}
      aria-valuemax={max}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className="ring-inset-focus relative z-10 -mx-[3.5px] w-2 shrink-0 cursor-col-resize touch-none before:absolute before:inset-y-0 before:left-[3.5px] before:w-px before:bg-line hover:before:bg-acc"
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
      onDoubleClick={() => onChange(usual)}
    />
  );
}
