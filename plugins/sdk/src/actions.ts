import type { InboxItem, InboxItemInput } from "./inbox.ts";
import type { Http, Logger, Secrets } from "./sdk.ts";

export type ActionHandler = (input: unknown, context: ActionContext) => Promise<ActionResult>;

export interface ActionDefinition {
  execute: ActionHandler;
}

export interface ActionContext {
  /** The item it was invoked on, if any. */
  readonly inboxItem?: InboxItem;
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly http: Http;
  /** Aborted when the action is to stop. */
  readonly signal: AbortSignal;
  /**
   * The same for every attempt of one action. Hand it to a service that knows such keys, or look
   * first whether the work is done already.
   */
  readonly idempotencyKey: string;
}

export interface ActionResult {
  success: boolean;
  output?: unknown;
  /** What the action changed of the item it was invoked on. */
  itemUpdate?: Partial<Omit<InboxItemInput, "externalId">>;
  /** `retryable`: whether the same may go well later; without it the code decides. */
  error?: { code: string; message: string; retryable?: boolean };
}
