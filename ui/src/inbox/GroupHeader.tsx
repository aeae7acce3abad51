import { Icon } from '../components/Icon';

/** The name of a group and how many rows it has. Its box checks them; screen readers hear the group's own name. */
export function GroupHeader({ name, count, checked, height }: { name: string; count: number; checked: boolean; height: number }) {
  return (
    <div aria-hidden style={{ height }} className="sticky top-0 z-10 flex items-center gap-2 border-b border-line bg-bg1 pr-3 pl-2 text-sec font-medium text-t2">
      <span className="size-2 shrink-0" />
      <span data-part="group" title="Select this group" className="-m-1 flex size-6 shrink-0 items-center justify-center">
        <Icon name={checked ? 'squareCheck' : 'square'} className={checked ? 'text-acc' : 'text-t3'} />
      </span>
      <span className="min-w-0 flex-1 truncate">{name}</span>
      <span className="tnum shrink-0">{count.toLocaleString('en')}</span>
    </div>
  );
}
