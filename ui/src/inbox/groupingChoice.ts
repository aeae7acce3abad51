import { create } from 'zustand';

import { GROUPINGS, type Grouping } from './grouping';

const KEY = 'devrig.grouping';

type Choices = {
  /** The view that is on screen. */
  view: string | null;
  byView: Readonly<Record<string, Grouping>>;
};

/** What is usable of what was stored. */
export function readChoices(text: string | null): Choices['byView'] {
  try {
    const stored: unknown = JSON.parse(text ?? '{}');
    if (typeof stored !== 'object' || stored === null) return {};
    return Object.fromEntries(Object.entries(stored).filter(([, by]) => by !== 'none' && GROUPINGS.includes(by as Grouping)));
  } catch {
    return {};
  }
}

/** How each view is grouped, in this window. */
export const useGroupingChoice = create<Choices>(() => ({ view: null, byView: readChoices(localStorage.getItem(KEY)) }));

useGroupingChoice.subscribe(({ byView }) => localStorage.setItem(KEY, JSON.stringify(byView)));

export function useGrouping(view: string): Grouping {
  return useGroupingChoice((state) => state.byView[view] ?? 'none');
}

export function setGrouping(view: string, by: Grouping): void {
  useGroupingChoice.setState(({ byView }) => {
    const { [view]: _, ...others } = byView;
    return { byView: by === 'none' ? others : { ...others, [view]: by } };
  });
}
