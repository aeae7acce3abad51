import type { ActionContext, ActionResult } from "@devrig/sdk";
import type { Client } from "../client.ts";
import { done, threadOf } from "./target.ts";

async function ask(client: Client, method: string, path: string, doing: string, body: unknown, context: ActionContext): Promise<ActionResult> {
  const id = threadOf(client, context);
  await client.rest(`/notifications/threads/${id}${path}`, { method, body, doing, signal: context.signal });
  return done();
}

/** GitHub answers 205 whether it was read before or not. */
export const markRead = (client: Client, _: unknown, context: ActionContext) => ask(client, "PATCH", "", "Marking it read on GitHub", undefined, context);

export const markDone = (client: Client, _: unknown, context: ActionContext) => ask(client, "DELETE", "", "Marking it done on GitHub", undefined, context);

/** Until somebody mentions the person again. */
export const unsubscribe = (client: Client, _: unknown, context: ActionContext) => ask(client, "DELETE", "/subscription", "Unsubscribing", undefined, context);

export const subscribe = (client: Client, _: unknown, context: ActionContext) =>
  ask(client, "PUT", "/subscription", "Subscribing", { ignored: false }, context);
