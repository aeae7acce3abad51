import type { Http, Logger, Secrets } from "./sdk.ts";

/** Something that starts flows, which DevRig asks for news at the interval of each flow's trigger. */
export interface TriggerHandler<C = unknown> {
  /**
   * Says what happened since `cursor`, which is what it returned last for this trigger of this flow
   * (`undefined` the first time: return where to go on from, and only those events that should start
   * the flow at once). The cursor is saved with the last of the events, so that after a crash the same
   * is asked again; events with an `id` are then not told twice.
   */
  poll(config: unknown, cursor: C | undefined, context: PollContext): PollResult<C> | Promise<PollResult<C>>;
}

export interface PollResult<C = unknown> {
  /** At most 1,000, in their order. */
  events: TriggerEvent[];
  /** Any JSON value of at most 64 KB; left out, the one before stays. */
  cursor?: C;
  /** Asks again at once, if the cursor has moved. */
  hasMore?: boolean;
}

export interface TriggerEvent {
  /** Names what happened: the same told again within a day starts nothing. */
  id?: string;
  /** What the flow sees as `trigger.payload`; at most 1 MB. */
  payload: unknown;
}

export interface PollContext {
  /** The flow whose trigger it is. */
  readonly flow: { readonly id: string; readonly name: string };
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly http: Http;
  /** Aborted when the trigger is stopped. */
  readonly signal: AbortSignal;
}

export interface FireOptions {
  /** As {@link TriggerEvent.id}. */
  id?: string;
}
