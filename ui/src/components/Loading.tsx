import { useDelayed } from '../lib/useDelayed';

const WIDTHS = ['w-3/5', 'w-2/5', 'w-1/2', 'w-3/4', 'w-2/5', 'w-3/5', 'w-1/3', 'w-1/2'];

/** Nothing for 300 ms, then eight rows that do not move. */
export function LoadingRows({ label = 'Loading' }: { label?: string }) {
  const late = useDelayed(true);
  return (
    <div role="status" aria-label={label} className="flex flex-col">
      {late &&
        WIDTHS.map((width, index) => (
          <div key={`${index}-${width}`} className="flex h-9 items-center gap-3 px-3">
            <div className="size-4 rounded-ctl bg-bg2" />
            <div className="h-3 w-24 rounded-ctl bg-bg2" />
            <div className={`h-3 rounded-ctl bg-bg2 ${width}`} />
          </div>
        ))}
    </div>
  );
}
