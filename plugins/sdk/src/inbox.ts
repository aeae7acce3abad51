export type Priority = "urgent" | "high" | "normal" | "low";

/** An item as a source hands it in. Storing it again replaces all of these fields. */
export interface InboxItemInput {
  /** Unique within the account, and always the same for the same thing; at most 512 characters. */
  externalId: string;
  /** Such as `pull_request`; letters, digits, `_`, `-` and `.`. */
  type: string;
  /** At most 4,096 characters. */
  title: string;
  /** Markdown, at most 1 MiB. */
  body?: string;
  /** At most 280 characters; cut from the body when absent. */
  preview?: string;
  /** Opened in the browser: http or https. */
  sourceUrl?: string;
  priority?: Priority;
  /** It waits for the person to do something. */
  isActionable?: boolean;
  /** Whatever the plugin's actions need later; at most 64 KiB as JSON, 16 levels deep. */
  metadata?: Record<string, unknown>;
  /** When it came to be in the source; RFC 3339. */
  externalCreatedAt?: string;
  /**
   * When it last changed in the source; RFC 3339. An item that the person marked done comes back
   * when this is newer than what they marked, so never fill in the present time.
   */
  externalUpdatedAt?: string;
  /** Items with the same key are one conversation. */
  threadKey?: string;
  /** Who did it. */
  actor?: string;
  /** `owner/name`, or a folder's name. */
  repo?: string;
  /** Why it came, such as `review_requested`. */
  reason?: string;
  /** At most 100. */
  labels?: string[];
  /** In the source: `open`, `merged`, `closed`… */
  state?: string;
}

/** Derived from the person's triage. */
export type ItemStatus = "unread" | "read" | "archived" | "snoozed";

/** An item as it is stored. */
export interface InboxItem {
  id: string;
  externalId: string;
  type: string;
  title: string;
  body: string;
  preview: string;
  sourceUrl: string | null;
  priority: Priority;
  isActionable: boolean;
  metadata: Record<string, unknown>;
  externalCreatedAt: string | null;
  externalUpdatedAt: string | null;
  threadKey: string | null;
  actor: string | null;
  repo: string | null;
  reason: string | null;
  labels: string[];
  state: string | null;
  /** `archived` is what the person sees as done. */
  status: ItemStatus;
  createdAt: string;
  updatedAt: string;
}

/** Which of its own items a plugin asks for; what is left out does not narrow. */
export interface InboxQuery {
  /** These items, as far as they are there; at most 500. Stands alone. */
  externalIds?: string[];
  types?: string[];
  status?: ItemStatus[];
  priority?: Priority[];
  isActionable?: boolean;
  /** Words in title and body. */
  search?: string;
  /** 50 when absent, at most 500. */
  limit?: number;
  offset?: number;
  /** The newest or most urgent first; `updated_at` when absent. */
  orderBy?: "created_at" | "updated_at" | "priority";
}
