import type { ActionContext, ActionResult, InboxItemInput } from "@devrig/sdk";
import type { Client } from "../client.ts";

/** The pull request or issue that an item is about. */
export interface Target {
  owner: string;
  name: string;
  number: number;
  /** `/repos/OWNER/NAME`, ready for a path. */
  repo: string;
  /** For sentences: `owner/name#7`. */
  called: string;
  headSha: string | undefined;
  failedRuns: number[];
}

export function targetOf(client: Client, context: ActionContext): Target {
  const { owner, name, number, headSha, failedRuns } = context.inboxItem?.metadata ?? {};
  if (typeof owner !== "string" || typeof name !== "string" || typeof number !== "number") {
    throw client.errors.of("INVALID_INPUT", "this item is about no pull request or issue");
  }
  return {
    owner,
    name,
    number,
    repo: `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`,
    called: `${owner}/${name}#${number}`,
    headSha: typeof headSha === "string" ? headSha : undefined,
    failedRuns: Array.isArray(failedRuns) ? failedRuns.filter((run): run is number => typeof run === "number") : [],
  };
}

/** The thread of GitHub's inbox that an item came from. */
export function threadOf(client: Client, context: ActionContext): string {
  const id = context.inboxItem?.metadata.threadId;
  if (typeof id !== "string" || !/^\d+$/.test(id)) {
    throw client.errors.of("INVALID_INPUT", "this item is no notification of GitHub's");
  }
  return id;
}

export const done = (output?: unknown, itemUpdate?: Partial<Omit<InboxItemInput, "externalId">>): ActionResult => ({
  success: true,
  ...(output === undefined ? {} : { output }),
  ...(itemUpdate === undefined ? {} : { itemUpdate }),
});

/** A member of the input that is a text; the manifest's schema has checked it. */
export function text(input: unknown, name: string): string | undefined {
  const value = (input as Record<string, unknown> | null)?.[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function texts(input: unknown, name: string): string[] {
  const value = (input as Record<string, unknown> | null)?.[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
