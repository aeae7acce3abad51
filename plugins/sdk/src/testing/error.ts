import type { DevRigError, DevRigErrorOptions } from "../sdk.ts";

const TRANSIENT = new Set(["NETWORK", "TIMEOUT", "RATE_LIMITED", "QUOTA_EXCEEDED", "HTTP", "IO"]);

/** An error as the worker throws it. Throw one from a fake's handler to see how a plugin copes. */
export class FakeError extends Error implements DevRigError {
  override readonly name = "DevRigError";
  readonly code: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly retryAfterMs?: number;

  constructor(message: string, options: DevRigErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "PLUGIN_FAILED";
    this.retryable = options.retryable ?? TRANSIENT.has(this.code);
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

export function invalid(message: string, hint?: string): FakeError {
  return new FakeError(message, { code: "INVALID_INPUT", hint });
}
