/** The regions in the order that F6 visits them. An element says which it is with `data-region`. */
const ORDER = ['rail', 'sidebar', 'list', 'pane', 'page', 'status'] as const;

const FOCUSABLE = 'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), [tabindex="0"]';

/** Moves the focus to the next region that is on screen. */
export function cycleRegion(by: 1 | -1): void {
  const regions = ORDER.flatMap((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`) ?? []).filter(isShown);
  if (regions.length === 0) return;
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + by + regions.length) % regions.length] ?? regions[0]!;
  focusRegion(next);
}

function isShown(element: HTMLElement): boolean {
  return element.getClientRects().length > 0;
}

function focusRegion(region: HTMLElement): void {
  const stop = region.querySelector<HTMLElement>('[data-region-stop]') ?? region.querySelector<HTMLElement>('[tabindex="0"]') ?? region.querySelector<HTMLElement>(FOCUSABLE);
  (stop ?? region).focus();
}

export function focusNamed(name: (typeof ORDER)[number]): void {
  const region = document.querySelector<HTMLElement>(`[data-region="${name}"]`);
  if (region) focusRegion(region);
}

/** Arrow keys, Home and End between the links or buttons of a vertical bar with one tab stop. */
export function moveInBar(bar: HTMLElement, key: string): boolean {
  const stops = [...bar.querySelectorAll<HTMLElement>('[data-bar-item]')];
  const at = stops.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, j: at + 1, k: at - 1, Home: 0, End: stops.length - 1 }[key];
  if (to === undefined || at < 0) return false;
  stops[Math.min(stops.length - 1, Math.max(0, to))]?.focus();
  return true;
}
