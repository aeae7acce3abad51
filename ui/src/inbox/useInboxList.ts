import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';

import { countQuery, itemQuery } from '../api/queries';
import { reaches, type Slice } from '../api/slice';
import { stillIn } from '../api/triage';
import type { DevRigError, ItemSummary } from '../platform/wire';
import { withKept } from './focus';
import { GROUPED, type Group, type Grouping } from './grouping';
import { focusRow, useInbox } from './state';
import { useGroups } from './useGroups';
import { useListFocus } from './useListFocus';
import { useSlice } from './useSlice';

export type InboxList = {
  query: string;
  /** The rows that are held, a part of the list where that is long. */
  rows: readonly ItemSummary[];
  ids: readonly string[];
  /** How many rows lie before the first held one; null where that is not known. */
  start: number | null;
  /** Whether the first row of all is held, and the last. */
  atHead: boolean;
  atEnd: boolean;
  /** The rows under their groups, in the order of `rows`; null where they are not grouped. */
  groups: readonly Group[] | null;
  /** Whether there are more rows than those that are grouped. */
  cut: boolean;
  /** How many rows have come before the first held one since the first of all was held. */
  newer: number;
  focusId: string | null;
  /** The item in focus, even when its row is not held. */
  focused: ItemSummary | null;
  /** How many there are in all; null where it is not known. */
  total: number | null;
  capped: boolean;
  loading: boolean;
  error: DevRigError | null;
  /** When the rows on screen were read. */
  readAt: number;
  /** Says which rows are on screen, counted from the first held one, so that they are read. */
  show: (first: number, last: number) => void;
  /** Moves the focus to a row of the list, held or not. */
  goTo: (place: number | 'last') => void;
  retry: () => void;
};

const NONE: readonly ItemSummary[] = [];
const NOTHING = () => {};

/** The rows of a query as they are on screen, and the one in focus. */
export function useInboxList(query: string, by: Grouping): InboxList {
  const { data: count } = useQuery(countQuery(query));
  const { slice, jump, show, fill, ...state } = useSlice(query, count && !count.capped ? count.count : null);
  const held = useHeld(query, slice);
  const groups = useGroups(held, by);
  const rows = useMemo(() => groups?.flatMap((group) => group.items) ?? held, [groups, held]);
  const ids = useMemo(() => rows.map((item) => item.id), [rows]);
  const grouping = groups !== null;
  useEffect(() => {
    if (grouping) fill(GROUPED);
  });

  const start = slice?.start ?? null;
  const base = grouping ? 0 : (start ?? 0);
  const atHead = slice?.before == null;
  const atEnd = slice?.after == null;
  const focus = useListFocus(query, slice, rows, ids, base);

  return {
    query,
    rows,
    ids,
    start,
    atHead,
    atEnd,
    newer: slice?.newer.length ?? 0,
    groups,
    cut: groups !== null && (held.length > GROUPED || (held.length >= GROUPED && !atEnd)),
    ...focus,
    total: count?.count ?? null,
    capped: count?.capped ?? false,
    ...state,
    show: groups ? NOTHING : show,
    goTo: (place) => {
      const row = place === 'last' ? rows.length - 1 : place - base;
      const known = groups !== null || (place === 'last' ? atEnd : place === 0 ? atHead : true);
      const there = known ? rows[row] : undefined;
      if (there) focusRow(there.id, base + row);
      else void jump(place).then((next) => next && focusAt(next.rows, place === 'last' ? next.rows.length - 1 : place - (next.start ?? 0), next.start ?? 0));
    },
  };
}

/** The rows of the slice, and the open one where a fresh answer no longer has it. */
function useHeld(query: string, slice: Slice | undefined): readonly ItemSummary[] {
  const client = useQueryClient();
  const wanted = useInbox((inbox) => inbox.focusId);
  const shown = useRef({ query, held: NONE });
  const held = useMemo(() => {
    const before = shown.current.query === query ? shown.current.held : NONE;
    // Kept only while it is known that the row still lies where this list looks.
    const known = wanted === null ? undefined : client.getQueryData(itemQuery(wanted).queryKey);
    return withKept(before, slice?.rows ?? NONE, slice && known && stillIn(query, known) && reaches(slice, known) ? wanted : null);
    // `wanted` is left out: moving the focus must not take the row away at once.
    // eslint-disable-next-line react/exhaustive-deps
  }, [client, query, slice]);
  useEffect(() => {
    shown.current = { query, held };
  }, [query, held]);
  return held;
}

function focusAt(rows: readonly ItemSummary[], row: number, base: number): void {
  const at = Math.min(Math.max(0, row), rows.length - 1);
  const item = rows[at];
  if (item) focusRow(item.id, base + at);
}
