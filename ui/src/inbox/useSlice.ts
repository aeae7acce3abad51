import { useIsMutating, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { itemsQuery } from '../api/queries';
import { extend, MOST, PAGE, readAround, replace } from '../api/readSlice';
import type { Slice } from '../api/slice';
import { toError } from '../platform/platform';
import type { DevRigError } from '../platform/wire';

/** So many rows before the end of what is held, more are read. */
const NEAR = 30;

/** The held part of a list, which follows what is on screen. */
export function useSlice(query: string, total: number | null) {
  const client = useQueryClient();
  const { data: slice, error, isPending, isFetching, dataUpdatedAt, refetch } = useQuery(itemsQuery(query));
  const [failure, setFailure] = useState<{ query: string; error: DevRigError } | null>(null);
  // What is being read now; a jump takes the place of what was being read before.
  const reading = useRef<{ query: string } | null>(null);

  /** Does one read after another; what was overtaken answers null. */
  const read = async <T>(load: () => Promise<T>): Promise<T | null> => {
    const own = { query };
    reading.current = own;
    try {
      const got = await load();
      return reading.current === own ? got : null;
    } catch (thrown) {
      if (reading.current === own) setFailure({ query, error: toError(thrown) });
      return null;
    } finally {
      if (reading.current === own) reading.current = null;
    }
  };
  /** Reads the rows around a place instead of those that are held; they are there when it answers. */
  const jump = async (place: number | 'last'): Promise<Slice | null> => {
    const next = await read(() => readAround(query, place, total));
    if (next) await replace(client, query, next);
    return next;
  };
  const failed = failure?.query === query ? failure.error : null;
  const idle = () => reading.current?.query !== query && !isFetching && failed === null;

  // What was on its way for another list must not move the focus in this one.
  useEffect(() => {
    const of = query;
    return () => {
      if (reading.current?.query === of) reading.current = null;
    };
  }, [query]);

  // All held rows have left, and there are others. While a change is on its way they may be as they were.
  const changing = useIsMutating() > 0;
  const spent = slice !== undefined && slice.rows.length === 0 && (slice.before !== null || slice.after !== null);
  useEffect(() => {
    if (spent && !changing && !isFetching) void refetch();
  }, [spent, changing, isFetching, refetch]);

  return {
    slice,
    loading: isPending || spent,
    error: error ?? failed,
    readAt: dataUpdatedAt,
    jump,
    /** Reads what is missing for the rows from `first` to `last` to be on screen, counted from the first held one. */
    show: (first: number, last: number) => {
      if (!slice || !idle()) return;
      const end = slice.rows.length;
      if (slice.start !== null && (last < -PAGE || first > end + PAGE)) void jump(slice.start + first);
      else if (slice.after !== null && last > end - NEAR) void read(() => extend(client, query, 'after'));
      else if (slice.before !== null && first < NEAR) void read(() => extend(client, query, 'before'));
    },
    /** Reads from the first row on until `most` are held. */
    fill: (most: number) => {
      if (!slice || !idle()) return;
      if (slice.before !== null) void jump(0);
      else if (slice.after !== null && slice.rows.length < most) void read(() => extend(client, query, 'after', Math.min(MOST, most - slice.rows.length)));
    },
    retry: () => {
      setFailure(null);
      void refetch();
    },
  };
}
