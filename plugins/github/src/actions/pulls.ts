import type { ActionContext, ActionResult } from "@devrig/sdk";
import type { Client } from "../client.ts";
import { done, targetOf, text, texts } from "./target.ts";

interface Pull {
  merged: boolean;
  state: string;
}

/** Merges the version that the person saw; a later push is a conflict in words. */
export async function merge(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  const doing = `Merging ${target.called}`;
  // Doing it twice is doing it once: an attempt before this one may have gone through.
  const now = await client.rest<Pull>(`${target.repo}/pulls/${target.number}`, { doing, signal: context.signal });
  if (now.data.merged) return done({ merged: true }, { state: "merged", isActionable: false });
  const body = {
    merge_method: text(input, "method") ?? "merge",
    commit_title: text(input, "title"),
    commit_message: text(input, "message"),
    sha: target.headSha,
  };
  const merged = await client.rest<{ sha: string }>(`${target.repo}/pulls/${target.number}/merge`, {
    method: "PUT",
    body,
    doing,
    signal: context.signal,
  });
  return done({ merged: true, sha: merged.data.sha }, { state: "merged", isActionable: false });
}

/** Says what the person thinks of the version that they saw. */
async function review(client: Client, event: string, doing: string, input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  const made = await client.rest<{ html_url: string }>(`${target.repo}/pulls/${target.number}/reviews`, {
    method: "POST",
    body: { event, body: text(input, "body"), commit_id: target.headSha },
    doing: `${doing} ${target.called}`,
    signal: context.signal,
  });
  return done({ url: made.data.html_url }, { isActionable: false });
}

export const approve = (client: Client, input: unknown, context: ActionContext) => review(client, "APPROVE", "Approving", input, context);

export const requestChanges = (client: Client, input: unknown, context: ActionContext) =>
  review(client, "REQUEST_CHANGES", "Asking for changes in", input, context);

export async function requestReview(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  await client.rest(`${target.repo}/pulls/${target.number}/requested_reviewers`, {
    method: "POST",
    body: { reviewers: texts(input, "reviewers"), team_reviewers: texts(input, "teams") },
    doing: `Requesting a review of ${target.called}`,
    signal: context.signal,
  });
  return done();
}

/** Runs the failed jobs of the workflow runs that the item tells of. */
export async function rerunFailed(client: Client, _: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  if (target.failedRuns.length === 0) {
    throw client.errors.of("NOTHING_TO_DO", `no failed workflow run of ${target.called} is known`, {
      retryable: false,
      hint: "Checks of other services are run again on their own pages.",
    });
  }
  for (const run of target.failedRuns) {
    await client.rest(`${target.repo}/actions/runs/${run}/rerun-failed-jobs`, {
      method: "POST",
      doing: `Running failed checks of ${target.called} again`,
      signal: context.signal,
    });
  }
  return done({ runs: target.failedRuns.length });
}
