import type { Client } from "./client.ts";

/** What can be told of a pull request, by one query. */
export interface PullRequest {
  __typename: "PullRequest";
  id: string;
  number: number;
  title: string;
  url: string;
  state: "OPEN" | "CLOSED" | "MERGED";
  isDraft: boolean;
  mergeable: "MERGEABLE" | "CONFLICTING" | "UNKNOWN";
  reviewDecision: "APPROVED" | "CHANGES_REQUESTED" | "REVIEW_REQUIRED" | null;
  additions: number;
  deletions: number;
  changedFiles: number;
  createdAt: string;
  updatedAt: string;
  author: Actor;
  body: string;
  headRefName: string;
  headRefOid: string;
  baseRefName: string;
  repository: { nameWithOwner: string };
  labels: { nodes: { name: string }[] } | null;
  assignees: { nodes: { login: string }[] };
  reviewRequests: { nodes: { requestedReviewer: { login?: string; name?: string } | null }[] } | null;
  commits: { nodes: { commit: { statusCheckRollup: Rollup | null } }[] };
  reviews: { nodes: { author: Actor; state: string; body: string; submittedAt: string | null }[] } | null;
  comments: { nodes: Comment[] };
}

export interface Issue {
  __typename: "Issue";
  id: string;
  number: number;
  title: string;
  url: string;
  /** Renamed in the query: fields of one name and two types cannot be asked for together. */
  issueState: "OPEN" | "CLOSED";
  stateReason: string | null;
  createdAt: string;
  updatedAt: string;
  author: Actor;
  body: string;
  repository: { nameWithOwner: string };
  labels: { nodes: { name: string }[] } | null;
  assignees: { nodes: { login: string }[] };
  comments: { nodes: Comment[] };
}

export type Actor = { login: string } | null;
export type Subject = PullRequest | Issue;

interface Comment {
  author: Actor;
  body: string;
  createdAt: string;
}

export interface Rollup {
  state: "SUCCESS" | "FAILURE" | "ERROR" | "PENDING" | "EXPECTED";
  contexts: { nodes: Check[] };
}

export type Check =
  | { __typename: "CheckRun"; name: string; status: string; conclusion: string | null; detailsUrl: string | null; checkSuite: { workflowRun: { databaseId: number | null } | null } | null }
  | { __typename: "StatusContext"; context: string; state: string; targetUrl: string | null };

const COMMON = `__typename id number title url createdAt updatedAt author { login } body repository { nameWithOwner }
  labels(first: 20) { nodes { name } } assignees(first: 10) { nodes { login } }
  comments(last: 6) { nodes { author { login } body createdAt } }`;

export const FRAGMENTS = `
fragment pullRequest on PullRequest { ${COMMON} state isDraft mergeable reviewDecision additions deletions changedFiles
  headRefName headRefOid baseRefName
  reviewRequests(first: 10) { nodes { requestedReviewer { ... on User { login } ... on Team { name } } } }
  reviews(last: 6) { nodes { author { login } state body submittedAt } }
  commits(last: 1) { nodes { commit { statusCheckRollup { state contexts(first: 30) { nodes { __typename
    ... on CheckRun { name status conclusion detailsUrl checkSuite { workflowRun { databaseId } } }
    ... on StatusContext { context state targetUrl } } } } } } } }
fragment issue on Issue { ${COMMON} issueState: state stateReason }`;

/** Where a subject is. */
export interface Place {
  owner: string;
  name: string;
  number: number;
}

/** Subjects of one query; more would make it too dear. */
const BATCH = 25;

/**
 * The same for a pull request or issue however it was found, so that it is one item: a
 * notification and a search that find it tell of the same thing.
 */
export const keyOf = (place: Place): string => `${place.owner}/${place.name}#${place.number}`.toLowerCase();

export function placeOfSubject(subject: Subject): Place {
  const [owner = "", name = ""] = subject.repository.nameWithOwner.split("/");
  return { owner, name, number: subject.number };
}

/** Reads pull requests and issues in batches. What cannot be read is left out. */
export async function readSubjects(client: Client, places: Place[], signal: AbortSignal): Promise<Map<string, Subject>> {
  const found = new Map<string, Subject>();
  for (let at = 0; at < places.length; at += BATCH) {
    const batch = places.slice(at, at + BATCH);
    const variables: Record<string, unknown> = {};
    const parts = batch.map((place, n) => {
      Object.assign(variables, { [`o${n}`]: place.owner, [`n${n}`]: place.name, [`i${n}`]: place.number });
      return `s${n}: repository(owner: $o${n}, name: $n${n}) { issueOrPullRequest(number: $i${n}) { ...pullRequest ...issue } }`;
    });
    const declared = batch.map((_, n) => `$o${n}: String!, $n${n}: String!, $i${n}: Int!`).join(", ");
    const query = `query subjects(${declared}) { ${parts.join("\n")} }${FRAGMENTS}`;
    type Data = Record<string, { issueOrPullRequest: Subject | null } | null>;
    const data = await client.graphql<Data>(query, variables, "Reading details", signal);
    batch.forEach((place, n) => {
      const subject = data[`s${n}`]?.issueOrPullRequest;
      if (subject) found.set(keyOf(place), subject);
    });
  }
  return found;
}
