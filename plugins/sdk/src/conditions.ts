import type { Http, Logger, Secrets } from "./sdk.ts";

/**
 * Says whether something holds, for the `custom` conditions of flows. It has half a second, and
 * changes nothing: the same may be asked again, or not at all.
 *
 * An error, anything but `true` or `false`, and no answer in time count as `false`, with a warning
 * in the run's log. A worker that cannot be stopped otherwise is ended.
 */
export type ConditionEvaluator = (args: unknown[], context: ConditionContext) => boolean | Promise<boolean>;

export interface ConditionDefinition {
  evaluate: ConditionEvaluator;
}

export interface ConditionContext {
  /** The flow that asks. */
  readonly flow: { readonly id: string; readonly name: string };
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly http: Http;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
}
