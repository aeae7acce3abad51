import type { InboxItem, InboxItemInput, InboxQuery } from "./inbox.ts";

/** A source of items. */
export interface DataSource {
  /**
   * Reads what is new since `cursor` (`undefined` the first time), stores it through `ds`, and
   * returns the cursor to go on from. The cursor is saved after the items: when something fails in
   * between, the same is read again, which storing by `externalId` makes harmless.
   */
  sync(cursor: string | undefined, ds: SyncContext): Promise<SyncHandlerResult>;
}

export interface SyncHandlerResult {
  cursor: string;
  /** How many items were new or changed; shown to the person. */
  itemCount?: number;
  /** Calls again at once. A cursor that does not move ends the sync with an error. */
  hasMore?: boolean;
  /**
   * Do not sync again within so many milliseconds, as the service asks; an hour at most. The
   * person can still sync at once.
   */
  nextSyncAfterMs?: number;
}

export interface SyncProgress {
  current: number;
  total?: number;
  message?: string;
}

/** The account's items, within one sync. All of it needs `inbox:write`. */
export interface SyncContext {
  /** Stores items, new or known by `externalId`; all or none of one call. */
  storeItems(items: InboxItemInput[]): Promise<{ created: number; updated: number }>;
  /** The account's own items only. */
  queryItems(query?: InboxQuery): Promise<InboxItem[]>;
  markRead(externalIds: string[]): Promise<null>;
  /** Marks done. */
  archive(externalIds: string[]): Promise<null>;
  /** Shown beside the source while it syncs. */
  reportSyncProgress(progress: SyncProgress): Promise<null>;
  /** True until the source has caught up for the first time. */
  readonly backfill: boolean;
  /** Aborted when the sync is to stop. */
  readonly signal: AbortSignal;
}
