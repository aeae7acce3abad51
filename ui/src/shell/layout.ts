import { create } from 'zustand';

export const SIDEBAR = { min: 208, max: 280, usual: 232 } as const;
export const LIST = { min: 380, max: 640, usual: 460 } as const;
const PANE_MIN = 420;

type Layout = {
  sidebar: number;
  list: number;
  /** Folded by the person, where all four columns have room. */
  folded: boolean;
  /** Laid over the list, where they have not. */
  overlay: boolean;
};

const KEY = 'devrig.layout';

function saved(): Partial<Layout> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Layout>;
  } catch {
    return {};
  }
}

function within(value: unknown, range: { min: number; max: number; usual: number }): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(range.max, Math.max(range.min, value)) : range.usual;
}

const start = saved();

/** Widths and folds of this window. */
export const useLayout = create<Layout>(() => ({
  sidebar: within(start.sidebar, SIDEBAR),
  list: within(start.list, LIST),
  folded: start.folded === true,
  overlay: false,
}));

useLayout.subscribe(({ sidebar, list, folded }) => {
  localStorage.setItem(KEY, JSON.stringify({ sidebar, list, folded }));
});

export function setSidebarWidth(width: number): void {
  useLayout.setState({ sidebar: within(width, SIDEBAR) });
}

export function setListWidth(width: number): void {
  useLayout.setState({ list: within(width, LIST) });
}

export type Columns = 'four' | 'three' | 'one';

/** How many columns have room. Text size widens them as it widens the words. */
export function columnsAt(width: number): Columns {
  if (width >= 1180) return 'four';
  return width >= 900 ? 'three' : 'one';
}

/** The list's width, so that the reading pane keeps its least. */
export function listWidth(window: number, sidebar: number, wanted: number): number {
  return Math.max(320, Math.min(wanted, window - 48 - sidebar - PANE_MIN));
}
