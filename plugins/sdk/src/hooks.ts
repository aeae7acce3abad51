import type { Http, Logger, Secrets } from "./sdk.ts";

/** What stands around actions of flows. A hook has the functions that its manifest names. */
export interface HookHandler {
  /**
   * Asked before each attempt of an action. It lets it pass by returning nothing, and refuses it with
   * `{ refuse: "why" }`: the node then fails with `REFUSED`, the plugin's name and the reason, and is
   * not tried again.
   *
   * It has half a second, and changes nothing. An error, anything else that it returns and no answer in
   * time let the action pass, with a warning in the run's log. After three times in a row without an
   * answer in time the account's hooks are not asked for a minute.
   */
  before?(call: HookCall, context: HookContext): HookVerdict | undefined | Promise<HookVerdict | undefined>;
  /**
   * Told after each attempt that began. Nobody waits for it, what it returns is ignored, and what it
   * throws stands in the plugin's log. Where more than 256 reports wait, further ones are left out.
   */
  after?(call: HookCall, outcome: HookOutcome, context: HookContext): void | Promise<void>;
}

export interface HookVerdict {
  /** Why it must not be done, in a sentence for people. */
  refuse?: string;
}

/** One attempt of an action that reaches out. Secrets of flows stand in it as `•••`. */
export interface HookCall {
  readonly flow: { readonly id: string; readonly name: string };
  /** The run's id. */
  readonly run: string;
  /** The path of the node in its run, such as `each#3/send`. */
  readonly node: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** The short name of the plugin whose action it is; absent for one of DevRig's own. */
  readonly plugin?: string;
  /** Such as `http.request`, or `github.comment` of the plugin `github`. */
  readonly action: string;
  readonly effect: "read" | "write";
  readonly input: Readonly<Record<string, unknown>>;
  /** The largest fields of an input of more than 64 KB, which are not in it; `input` for all of them. */
  readonly leftOut: readonly string[];
}

export interface HookOutcome {
  readonly ok: boolean;
  /** Absent where it went well. `CANCELLED` and `TIMEOUT` where nobody waited for the end. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly durationMs: number;
  /** Absent where there is none, and where it has more than 64 KB. */
  readonly output?: unknown;
  /** Whether it has more than 64 KB. */
  readonly outputLeftOut: boolean;
}

export interface HookContext {
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly http: Http;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
}
