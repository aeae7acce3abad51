import { create } from 'zustand';

import type { ItemSummary } from '../platform/wire';

type InboxState = {
  /** The row in focus, by id: rows come and go around it. */
  focusId: string | null;
  /** Where it was, for when it goes. */
  focusIndex: number;
  /** How it last was, for when its row is not held any more. */
  focusItem: ItemSummary | null;
  checked: ReadonlySet<string>;
  /** The query of which everything is selected, whether loaded or not. */
  whole: string | null;
  /** Where an extended selection began. */
  anchor: string | null;
  /** In one column: the pane covers the list. */
  reading: boolean;
  snoozing: boolean;
};

const NOTHING: ReadonlySet<string> = new Set();

export const useInbox = create<InboxState>(() => ({
  focusId: null, focusIndex: 0, focusItem: null, checked: NOTHING, whole: null, anchor: null, reading: false, snoozing: false,
}));

export function focusRow(focusId: string | null, focusIndex?: number): void {
  useInbox.setState(focusIndex === undefined ? { focusId } : { focusId, focusIndex });
}

export function toggleChecked(id: string): void {
  useInbox.setState(({ checked }) => {
    const next = new Set(checked);
    if (!next.delete(id)) next.add(id);
    return { checked: next, whole: null, anchor: id };
  });
}

export function check(ids: readonly string[]): void {
  useInbox.setState(({ checked }) => ({ checked: new Set([...checked, ...ids]), whole: null }));
}

/** Checks all of them, or none where all are checked. */
export function toggleAll(ids: readonly string[]): void {
  useInbox.setState(({ checked }) => {
    const next = new Set(checked);
    if (ids.every((id) => checked.has(id))) for (const id of ids) next.delete(id);
    else for (const id of ids) next.add(id);
    return { checked: next, whole: null };
  });
}

export function checkWhole(query: string): void {
  useInbox.setState({ whole: query, checked: NOTHING, anchor: null });
}

export function clearChecked(): void {
  useInbox.setState({ checked: NOTHING, whole: null, anchor: null });
}

/** An item to show, as asked for from outside of the window. */
export function showItem(id: string): void {
  useInbox.setState({ focusId: id, reading: true, checked: NOTHING, whole: null });
}

/** For a list that starts anew: another view or filter. */
export function startList(focusId: string | null): void {
  useInbox.setState(({ reading }) => ({
    focusId, focusIndex: 0, checked: NOTHING, whole: null, anchor: null, reading: reading && focusId !== null, snoozing: false,
  }));
}
