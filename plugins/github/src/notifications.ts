import type { InboxItemInput, SyncContext, SyncHandlerResult } from "@devrig/sdk";
import type { Client } from "./client.ts";
import { itemOf, stayDone } from "./render.ts";
import { isLeftOut } from "./settings.ts";
import { keyOf, readSubjects, type Place, type Subject } from "./subjects.ts";

/** GitHub's own most for this list. */
const PAGE = 50;
/** Pages of one sync: 10,000 threads, more than a person will ever look at. */
const PAGES = 200;
const DAY = 24 * 60 * 60 * 1_000;

/** A thread of GitHub's inbox. */
export interface Thread {
  id: string;
  unread: boolean;
  reason: string;
  updated_at: string;
  subject: { title: string; url: string | null; latest_comment_url: string | null; type: string };
  repository: { full_name: string; private: boolean };
}

interface Cursor {
  /** Threads that changed after this are asked for. */
  since: string;
  /** The list's date, for asking whether it changed at all. */
  modified?: string;
  /** While pages are read: the next one, and what the list said on the first. */
  page?: number;
  newest?: string;
  pending?: string;
}

/** One page of the list. Nothing new costs one request that GitHub does not count. */
export async function syncNotifications(client: Client, text: string | undefined, ds: SyncContext): Promise<SyncHandlerResult> {
  const cursor = readCursor(text, client.settings.backfillDays);
  const page = cursor.page ?? 1;
  const first = page === 1;
  const reply = await client.rest<Thread[] | null>("/notifications", {
    query: { all: true, since: cursor.since, per_page: PAGE, page },
    headers: first && cursor.modified ? { "if-modified-since": cursor.modified } : {},
    fine: [304],
    signal: ds.signal,
    doing: "Reading notifications",
  });
  const wait = Number(reply.headers.get("x-poll-interval")) * 1_000 || undefined;
  const pause = wait === undefined ? {} : { nextSyncAfterMs: wait };
  if (reply.status === 304) return { cursor: JSON.stringify(cursor), itemCount: 0, ...pause };
  const listed = Array.isArray(reply.data) ? reply.data : [];
  const count = await store(client, listed, ds);
  const newest = [cursor.newest ?? cursor.since, ...listed.map((thread) => thread.updated_at)].sort().at(-1) ?? cursor.since;
  const pending = first ? (reply.headers.get("last-modified") ?? undefined) : cursor.pending;
  if (listed.length === PAGE && page < PAGES) {
    const next: Cursor = { ...cursor, page: page + 1, newest, ...(pending ? { pending } : {}) };
    ds.reportSyncProgress({ current: page * PAGE, message: "notifications" }).catch(() => {});
    return { cursor: JSON.stringify(next), itemCount: count, hasMore: true };
  }
  const done: Cursor = { since: newest, ...(pending ? { modified: pending } : {}) };
  return { cursor: JSON.stringify(done), itemCount: count, ...pause };
}

async function store(client: Client, listed: Thread[], ds: SyncContext): Promise<number> {
  const threads = listed.filter((thread) => !isLeftOut(client.settings, thread.repository.full_name));
  if (threads.length === 0) return 0;
  // What is known and has not changed needs no details and no storing.
  const stored = await ds.queryItems({ externalIds: threads.map(externalId) });
  const known = new Map(stored.map((item) => [item.externalId, item]));
  const changed = threads.filter((thread) => known.get(externalId(thread))?.metadata.threadUpdatedAt !== thread.updated_at);
  const places = new Map<string, Place>();
  for (const thread of changed) {
    const place = placeOf(thread);
    if (place) places.set(keyOf(place), place);
  }
  const subjects = await readSubjects(client, [...places.values()], ds.signal);
  if (changed.length > 0) {
    await ds.storeItems(changed.map((thread) => {
      const place = placeOf(thread);
      const item = fromThread(thread, place ? subjects.get(keyOf(place)) : undefined, client.settings.webUrl);
      // GitHub lists threads that are done with for months. One that is read is no reason to come back.
      return thread.unread ? item : stayDone(item, known.get(item.externalId));
    }));
  }
  const read = threads.filter((thread) => !thread.unread).map(externalId);
  if (read.length > 0) await ds.markRead(read);
  return changed.length;
}

export function externalId(thread: Thread): string {
  const place = placeOf(thread);
  return place ? keyOf(place) : `thread:${thread.id}`;
}

/** Reasons that ask something of the person. */
const ASKS = new Set(["review_requested", "assign", "mention", "team_mention", "security_alert", "approval_requested", "invitation", "member_feature_requested"]);

const TYPES: Record<string, string> = {
  PullRequest: "pull_request",
  Issue: "issue",
  Discussion: "discussion",
  Release: "release",
  CheckSuite: "check",
  WorkflowRun: "check",
  Commit: "commit",
  RepositoryInvitation: "invitation",
  RepositoryVulnerabilityAlert: "security_alert",
  RepositoryDependabotAlertsThread: "security_alert",
};

export function fromThread(thread: Thread, subject: Subject | undefined, webUrl: string): InboxItemInput {
  const place = placeOf(thread);
  const [owner, name] = thread.repository.full_name.split("/");
  const told = subject ? itemOf(subject) : undefined;
  const open = told?.state === undefined || told.state === "open" || told.state === "draft";
  const item: InboxItemInput = {
    body: `${thread.subject.type} in ${thread.repository.full_name}`,
    state: "open",
    ...told,
    externalId: externalId(thread),
    type: TYPES[thread.subject.type] ?? "notification",
    title: told?.title ?? thread.subject.title,
    sourceUrl: told?.sourceUrl ?? webPage(thread, webUrl),
    repo: thread.repository.full_name,
    reason: thread.reason,
    isActionable: open && ASKS.has(thread.reason),
    threadKey: place ? keyOf(place) : `${thread.repository.full_name}:${thread.subject.type}:${thread.subject.title}`.slice(0, 500),
    // The thread's own time decides whether something is new to the person.
    externalUpdatedAt: thread.updated_at,
    metadata: { owner, name, ...told?.metadata, threadId: thread.id, threadUpdatedAt: thread.updated_at },
  };
  if (thread.reason === "security_alert") item.priority = "high";
  return item;
}

/** The pull request or issue that a thread is about. */
export function placeOf(thread: Thread): Place | undefined {
  const found = /\/repos\/([^/]+)\/([^/]+)\/(?:pulls|issues)\/(\d+)$/.exec(thread.subject.url ?? "");
  if (found === null) return undefined;
  return { owner: found[1]!, name: found[2]!, number: Number(found[3]) };
}

/** A page for people; the interface gives addresses for programs only. */
export function webPage(thread: Thread, webUrl: string): string {
  const repo = `${webUrl}/${thread.repository.full_name}`;
  const place = placeOf(thread);
  const id = (thread.subject.url ?? "").split("/").at(-1) ?? "";
  switch (thread.subject.type) {
    case "PullRequest":
      return place ? `${repo}/pull/${place.number}` : `${repo}/pulls`;
    case "Issue":
      return place ? `${repo}/issues/${place.number}` : `${repo}/issues`;
    case "Discussion":
      return /^\d+$/.test(id) ? `${repo}/discussions/${id}` : `${repo}/discussions?discussions_q=${encodeURIComponent(`"${thread.subject.title}"`)}`;
    case "Commit":
      return /^[0-9a-f]{7,40}$/.test(id) ? `${repo}/commit/${id}` : `${repo}/commits`;
    case "Release":
      return `${repo}/releases`;
    case "CheckSuite":
    case "WorkflowRun":
      return `${repo}/actions`;
    case "RepositoryInvitation":
      return `${repo}/invitations`;
    case "RepositoryVulnerabilityAlert":
    case "RepositoryDependabotAlertsThread":
      return `${repo}/security/dependabot`;
    default:
      return repo;
  }
}

function readCursor(text: string | undefined, days: number): Cursor {
  try {
    const cursor = JSON.parse(text ?? "") as Cursor;
    if (typeof cursor.since === "string") return cursor;
  } catch {
    // The first sync, or a cursor of another version: a bounded look back.
  }
  return { since: new Date(Date.now() - days * DAY).toISOString().replace(/\.\d+Z$/, "Z") };
}
