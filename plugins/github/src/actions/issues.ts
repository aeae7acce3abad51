import type { ActionContext, ActionResult } from "@devrig/sdk";
import type { Client } from "../client.ts";
import { done, targetOf, text, texts } from "./target.ts";

interface Labelled {
  name: string;
}

/** GitHub treats pull requests as issues here. */
const issuePath = (target: { repo: string; number: number }) => `${target.repo}/issues/${target.number}`;

export async function comment(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  const made = await client.rest<{ html_url: string }>(`${issuePath(target)}/comments`, {
    method: "POST",
    body: { body: text(input, "body") },
    doing: `Commenting on ${target.called}`,
    signal: context.signal,
  });
  return done({ url: made.data.html_url });
}

async function setState(client: Client, state: "open" | "closed", reason: string | undefined, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  await client.rest(issuePath(target), {
    method: "PATCH",
    body: { state, state_reason: reason },
    doing: `${state === "closed" ? "Closing" : "Reopening"} ${target.called}`,
    signal: context.signal,
  });
  return done(undefined, { state, ...(state === "closed" ? { isActionable: false } : {}) });
}

export function close(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const isIssue = context.inboxItem?.type === "issue";
  return setState(client, "closed", isIssue ? (text(input, "reason") ?? "completed") : undefined, context);
}

export const reopen = (client: Client, _: unknown, context: ActionContext) => setState(client, "open", undefined, context);

export async function createIssue(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const repo = text(input, "repository") ?? context.inboxItem?.repo ?? "";
  const [owner, name, rest] = repo.split("/");
  if (!owner || !name || rest !== undefined) {
    throw client.errors.of("INVALID_INPUT", `${JSON.stringify(repo)} is no repository`, { hint: "Write it as owner/name." });
  }
  const made = await client.rest<{ number: number; html_url: string }>(`/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/issues`, {
    method: "POST",
    body: { title: text(input, "title"), body: text(input, "body"), labels: texts(input, "labels"), assignees: texts(input, "assignees") },
    doing: `Creating an issue in ${repo}`,
    signal: context.signal,
  });
  return done({ number: made.data.number, url: made.data.html_url });
}

export async function addLabels(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  const now = await client.rest<Labelled[]>(`${issuePath(target)}/labels`, {
    method: "POST",
    body: { labels: texts(input, "labels") },
    doing: `Labelling ${target.called}`,
    signal: context.signal,
  });
  return done(undefined, { labels: now.data.map((label) => label.name) });
}

export async function removeLabels(client: Client, input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  let labels = context.inboxItem?.labels ?? [];
  for (const label of texts(input, "labels")) {
    // One that is not there is removed already.
    const now = await client.rest<Labelled[] | null>(`${issuePath(target)}/labels/${encodeURIComponent(label)}`, {
      method: "DELETE",
      fine: [404],
      doing: `Taking a label off ${target.called}`,
      signal: context.signal,
    });
    labels = now.status === 404 ? labels.filter((known) => known !== label) : (now.data ?? []).map((one) => one.name);
  }
  return done(undefined, { labels });
}

async function assignees(client: Client, method: "POST" | "DELETE", input: unknown, context: ActionContext): Promise<ActionResult> {
  const target = targetOf(client, context);
  const wanted = texts(input, "assignees");
  const now = await client.rest<{ assignees: { login: string }[] }>(`${issuePath(target)}/assignees`, {
    method,
    body: { assignees: wanted },
    doing: `Assigning ${target.called}`,
    signal: context.signal,
  });
  const assigned = now.data.assignees.map((one) => one.login);
  const ignored = method === "POST" ? wanted.filter((login) => !assigned.some((one) => one.toLowerCase() === login.toLowerCase())) : [];
  if (ignored.length > 0) {
    // GitHub leaves out whom it cannot assign, without a word.
    throw client.errors.of("INVALID_INPUT", `${ignored.join(", ")} cannot be assigned to ${target.called}`, {
      hint: "Only people with access to the repository can be assigned.",
    });
  }
  return done({ assignees: assigned });
}

export const assign = (client: Client, input: unknown, context: ActionContext) => assignees(client, "POST", input, context);

export const unassign = (client: Client, input: unknown, context: ActionContext) => assignees(client, "DELETE", input, context);
