import type { InboxItem, InboxItemInput, SyncContext, SyncHandlerResult } from "@devrig/sdk";
import type { Client } from "./client.ts";
import { failedChecks, itemOf, rollupOf, stayDone } from "./render.ts";
import { isLeftOut } from "./settings.ts";
import { FRAGMENTS, keyOf, placeOfSubject, type PullRequest, type Subject } from "./subjects.ts";

const PAGE = 25;
/** GitHub gives no more than 1,000 results of a search. */
const PAGES = 40;

/** What is looked for: several searches, as a search cannot say "or". */
interface Searches {
  what: string;
  queries: string[];
  /** The item that a subject makes; undefined when it makes none. */
  make: (subject: Subject, login: string) => InboxItemInput | undefined;
}

export const PULL_REQUESTS: Searches = {
  what: "pull requests",
  queries: ["is:pr involves:@me", "is:pr review-requested:@me", "is:pr reviewed-by:@me"],
  make: (subject, login) => subject.__typename === "PullRequest" ? { ...itemOf(subject), externalId: keyOf(placeOfSubject(subject)), ...roleIn(subject, login) } : undefined,
};

export const ISSUES: Searches = {
  what: "issues",
  queries: ["is:issue assignee:@me", "is:issue mentions:@me", "is:issue author:@me"],
  make: (subject, login) => {
    if (subject.__typename !== "Issue") return undefined;
    const assigned = subject.assignees.nodes.some((one) => one.login === login);
    const reason = assigned ? "assign" : subject.author?.login === login ? "author" : "mention";
    return { ...itemOf(subject), externalId: keyOf(placeOfSubject(subject)), reason, isActionable: assigned && subject.issueState === "OPEN" };
  },
};

export const CHECKS: Searches = {
  what: "failed checks",
  queries: ["is:pr author:@me"],
  make: (subject) => {
    if (subject.__typename !== "PullRequest") return undefined;
    const rollup = rollupOf(subject);
    const failed = failedChecks(rollup);
    const item = itemOf(subject);
    const broken = subject.state === "OPEN" && failed.length > 0;
    return {
      ...item,
      externalId: `${keyOf(placeOfSubject(subject))} checks`,
      type: "check",
      title: broken ? `${failed.length === 1 ? failed[0]!.name : `${failed.length} checks`} failed on ${subject.headRefName}` : `Checks of ${subject.headRefName}`,
      reason: "ci_activity",
      state: broken ? "open" : "closed",
      isActionable: broken,
    };
  },
};

/** Why a pull request concerns the person, and whether it waits for them. */
function roleIn(pull: PullRequest, login: string): Pick<InboxItemInput, "reason" | "isActionable"> {
  const open = pull.state === "OPEN";
  const asked = (pull.reviewRequests?.nodes ?? []).some((one) => one.requestedReviewer?.login === login);
  if (asked) return { reason: "review_requested", isActionable: open };
  if (pull.author?.login === login) {
    const stuck = pull.reviewDecision === "CHANGES_REQUESTED" || pull.mergeable === "CONFLICTING" || failedChecks(rollupOf(pull)).length > 0;
    const ready = pull.reviewDecision === "APPROVED" && !pull.isDraft;
    return { reason: "author", isActionable: open && (stuck || ready) };
  }
  if (pull.assignees.nodes.some((one) => one.login === login)) return { reason: "assign", isActionable: open };
  return { reason: "mention", isActionable: false };
}

interface Cursor {
  /** Changes after this are asked for; absent until everything open was read once. */
  since?: string;
  /** While pages are read: which search, its page, and the newest that was seen. */
  search?: number;
  after?: string;
  pages?: number;
  newest?: string;
}

interface Found {
  viewer: { login: string };
  search: { pageInfo: { hasNextPage: boolean; endCursor: string | null }; nodes: (Subject | Record<string, never>)[] };
}

const QUERY = `query found($q: String!, $after: String) { viewer { login }
  search(query: $q, type: ISSUE, first: ${PAGE}, after: $after) { pageInfo { hasNextPage endCursor } nodes { ...pullRequest ...issue } } }${FRAGMENTS}`;

/** One page of one search. */
export async function syncSearch(client: Client, searches: Searches, text: string | undefined, ds: SyncContext): Promise<SyncHandlerResult> {
  const cursor = readCursor(text);
  const search = cursor.search ?? 0;
  // Once all that is open was read, what was closed since is read too: it leaves the inbox.
  const span = cursor.since === undefined ? "is:open" : `updated:>=${cursor.since}`;
  const q = `${searches.queries[search]} ${span} archived:false sort:updated-desc`;
  const data = await client.graphql<Found>(QUERY, { q, after: cursor.after ?? null }, `Reading ${searches.what}`, ds.signal);
  const subjects = data.search.nodes.filter((node): node is Subject => "id" in node);
  const count = await store(client, searches, subjects, data.viewer.login, ds);
  const newest = [cursor.newest ?? "", ...subjects.map((subject) => subject.updatedAt)].sort().at(-1)!;
  const { hasNextPage, endCursor } = data.search.pageInfo;
  const pages = (cursor.pages ?? 0) + 1;
  const begun: Cursor = { ...(cursor.since ? { since: cursor.since } : {}), newest };
  if (hasNextPage && endCursor !== null && pages < PAGES) {
    return { cursor: JSON.stringify({ ...begun, search, after: endCursor, pages }), itemCount: count, hasMore: true };
  }
  if (search + 1 < searches.queries.length) {
    return { cursor: JSON.stringify({ ...begun, search: search + 1 }), itemCount: count, hasMore: true };
  }
  return { cursor: JSON.stringify({ since: newest || cursor.since || new Date().toISOString() } satisfies Cursor), itemCount: count };
}

async function store(client: Client, searches: Searches, subjects: Subject[], login: string, ds: SyncContext): Promise<number> {
  const wanted = subjects.filter((subject) => !isLeftOut(client.settings, subject.repository.nameWithOwner));
  const made = wanted.map((subject) => searches.make(subject, login)).filter((item) => item !== undefined);
  const mine = new Set(wanted.filter((subject) => lastWordIsMine(subject, login)).map((subject) => keyOf(placeOfSubject(subject))));
  const ended = (item: InboxItemInput) => item.state === "closed" || item.state === "merged";
  const stored = made.length > 0 ? await ds.queryItems({ externalIds: made.map((item) => item.externalId) }) : [];
  const known = new Map(stored.map((item) => [item.externalId, item]));
  // What ended before it was ever here is no news.
  const items = made.filter((item) => !ended(item) || known.has(item.externalId)).map((item) => {
    const before = known.get(item.externalId);
    const whole = withThread(item, before);
    // What the person said or what is over is no reason for a done item to come back.
    return ended(item) || mine.has(item.externalId) ? stayDone(whole, before) : whole;
  });
  if (items.length > 0) await ds.storeItems(items);
  return items.length;
}

/** Times of GitHub's that belong to one change differ by some seconds. */
const TOGETHER_MS = 10_000;

/** Whether the last change that shows is the person's own comment or review. */
function lastWordIsMine(subject: Subject, login: string): boolean {
  const reviews = subject.__typename === "PullRequest" ? (subject.reviews?.nodes ?? []) : [];
  const words = [...subject.comments.nodes.map((comment) => ({ by: comment.author, at: comment.createdAt })), ...reviews.map((review) => ({ by: review.author, at: review.submittedAt ?? "" }))];
  const last = words.sort((a, b) => a.at.localeCompare(b.at)).at(-1);
  return last?.by?.login === login && Date.parse(subject.updatedAt) - Date.parse(last.at) < TOGETHER_MS;
}

/** A notification's part of an item stays: its thread, its reason, and its time, which says what is new. */
function withThread(item: InboxItemInput, known: InboxItem | undefined): InboxItemInput {
  const { threadId, threadUpdatedAt } = known?.metadata ?? {};
  if (known === undefined || typeof threadId !== "string") return item;
  return {
    ...item,
    ...(known.reason ? { reason: known.reason } : {}),
    ...(known.externalUpdatedAt ? { externalUpdatedAt: known.externalUpdatedAt } : {}),
    metadata: { ...item.metadata, threadId, threadUpdatedAt },
  };
}

function readCursor(text: string | undefined): Cursor {
  try {
    return JSON.parse(text ?? "{}") as Cursor;
  } catch {
    return {};
  }
}
