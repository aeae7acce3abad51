import type { InboxItem, InboxItemInput } from "@devrig/sdk";
import type { Check, PullRequest, Rollup, Subject } from "./subjects.ts";

/** Of a description, and of one entry of the timeline. */
const LONGEST_BODY = 20_000;
const LONGEST_ENTRY = 2_000;
const ENTRIES = 8;

/** As the inbox shows it: `merged`, `closed`, `draft`, `open`. */
export function stateOf(subject: Subject): string {
  if (subject.__typename === "Issue") return subject.issueState.toLowerCase();
  return subject.state === "OPEN" && subject.isDraft ? "draft" : subject.state.toLowerCase();
}

export const rollupOf = (pull: PullRequest): Rollup | null => pull.commits.nodes[0]?.commit.statusCheckRollup ?? null;

export function failedChecks(rollup: Rollup | null): { name: string; url: string | null; run: number | null }[] {
  const failed = (check: Check) =>
    check.__typename === "CheckRun"
      ? ["FAILURE", "TIMED_OUT", "STARTUP_FAILURE", "ACTION_REQUIRED"].includes(check.conclusion ?? "")
      : ["FAILURE", "ERROR"].includes(check.state);
  return (rollup?.contexts.nodes ?? []).filter(failed).map((check) =>
    check.__typename === "CheckRun"
      ? { name: check.name, url: check.detailsUrl, run: check.checkSuite?.workflowRun?.databaseId ?? null }
      : { name: check.context, url: check.targetUrl, run: null },
  );
}

const DECISIONS = { APPROVED: "approved", CHANGES_REQUESTED: "changes requested", REVIEW_REQUIRED: "review required" };
const CHECKS = { SUCCESS: "checks passed", FAILURE: "checks failed", ERROR: "checks failed", PENDING: "checks running", EXPECTED: "checks expected" };

/** The facts that decide, in one line. */
export function factsOf(subject: Subject): string[] {
  const facts = [stateOf(subject)];
  if (subject.__typename === "PullRequest") {
    if (subject.reviewDecision) facts.push(DECISIONS[subject.reviewDecision]);
    const rollup = rollupOf(subject);
    if (rollup) facts.push(CHECKS[rollup.state]);
    if (subject.state === "OPEN" && subject.mergeable === "CONFLICTING") facts.push("conflicts");
    facts.push(`+${subject.additions} −${subject.deletions} in ${subject.changedFiles} ${subject.changedFiles === 1 ? "file" : "files"}`);
    facts.push(`${subject.headRefName} → ${subject.baseRefName}`);
  } else if (subject.stateReason && subject.issueState === "CLOSED") {
    facts.push(subject.stateReason.toLowerCase().replaceAll("_", " "));
  }
  return facts;
}

/** Markdown: facts, the description, then the last of what was said. */
export function bodyOf(subject: Subject): string {
  const parts = [`**${factsOf(subject).join(" · ")}**`];
  if (subject.__typename === "PullRequest") {
    const failed = failedChecks(rollupOf(subject));
    if (failed.length > 0) parts.push(failed.map((check) => `- failed: ${link(check.name, check.url)}`).join("\n"));
    const asked = (subject.reviewRequests?.nodes ?? [])
      .map((request) => request.requestedReviewer?.login ?? request.requestedReviewer?.name)
      .filter((name) => name !== undefined);
    if (asked.length > 0) parts.push(`Review requested from ${asked.join(", ")}`);
  }
  if (subject.body.trim() !== "") parts.push(clip(subject.body.trim(), LONGEST_BODY));
  const entries = entriesOf(subject);
  if (entries.length > 0) {
    parts.push("---");
    for (const entry of entries) parts.push(`**${entry.who}** ${entry.what}, ${entry.at.slice(0, 16).replace("T", " ")} UTC\n\n${clip(entry.text, LONGEST_ENTRY)}`.trim());
  }
  return parts.join("\n\n");
}

const REVIEWS: Record<string, string> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "asked for changes",
  COMMENTED: "reviewed",
  DISMISSED: "had a review dismissed",
};

function entriesOf(subject: Subject): { who: string; what: string; at: string; text: string }[] {
  const comments = subject.comments.nodes.map((comment) => ({
    who: comment.author?.login ?? "ghost",
    what: "commented",
    at: comment.createdAt,
    text: comment.body,
  }));
  const reviews = (subject.__typename === "PullRequest" ? (subject.reviews?.nodes ?? []) : [])
    .filter((review) => review.submittedAt !== null && (review.body !== "" || review.state !== "COMMENTED"))
    .map((review) => ({
      who: review.author?.login ?? "ghost",
      what: REVIEWS[review.state] ?? "reviewed",
      at: review.submittedAt ?? "",
      text: review.body,
    }));
  return [...comments, ...reviews].sort((a, b) => a.at.localeCompare(b.at)).slice(-ENTRIES);
}

/** The last that was said, in one plain line; else the description. */
export function previewOf(subject: Subject): string {
  const last = entriesOf(subject).at(-1);
  const said = last ? `${last.who} ${last.what}: ${last.text}` : subject.body;
  return clip(plain(said) || factsOf(subject).join(" · "), 280);
}

/** The parts of an item that come from its subject. */
export function itemOf(subject: Subject): Omit<InboxItemInput, "externalId"> {
  const [owner = "", name = ""] = subject.repository.nameWithOwner.split("/");
  const metadata: Record<string, unknown> = { owner, name, number: subject.number, nodeId: subject.id };
  if (subject.__typename === "PullRequest") {
    metadata.headSha = subject.headRefOid;
    const runs = failedChecks(rollupOf(subject)).map((check) => check.run).filter((run) => run !== null);
    if (runs.length > 0) metadata.failedRuns = [...new Set(runs)];
  }
  const item: Omit<InboxItemInput, "externalId"> = {
    type: subject.__typename === "PullRequest" ? "pull_request" : "issue",
    title: clip(subject.title, 1_000),
    body: bodyOf(subject),
    preview: previewOf(subject),
    sourceUrl: subject.url,
    externalCreatedAt: subject.createdAt,
    externalUpdatedAt: subject.updatedAt,
    threadKey: `${subject.repository.nameWithOwner}#${subject.number}`,
    repo: subject.repository.nameWithOwner,
    labels: (subject.labels?.nodes ?? []).map((label) => label.name),
    state: stateOf(subject),
    metadata,
  };
  if (subject.author) item.actor = subject.author.login;
  return item;
}

const link = (text: string, url: string | null) => (url && /^https?:/.test(url) ? `[${text.replaceAll(/[[\]]/g, "")}](${url})` : text);

export function clip(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function plain(markdown: string): string {
  return markdown
    .replaceAll(/<!--[\s\S]*?-->/g, " ")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[`*_>#|]+/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The item with the time of what was marked done, so that it stays done. */
export function stayDone(item: InboxItemInput, known: InboxItem | undefined): InboxItemInput {
  if (known?.status !== "archived" || !known.externalUpdatedAt) return item;
  return { ...item, externalUpdatedAt: known.externalUpdatedAt };
}
