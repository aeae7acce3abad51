import type { DevRigSDK } from "@devrig/sdk";

/** What GitHub answered, as far as an error is made of it. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The body, when it was JSON. */
  body: unknown;
}

interface GitHubErrorBody {
  message?: unknown;
  errors?: unknown;
}

/** Makes errors in words: what happened, where, and what to do about it. */
export class Errors {
  readonly #sdk: Pick<DevRigSDK, "DevRigError">;
  readonly #webUrl: string;

  constructor(sdk: Pick<DevRigSDK, "DevRigError">, webUrl: string) {
    this.#sdk = sdk;
    this.#webUrl = webUrl;
  }

  of(code: string, message: string, options: { hint?: string; retryable?: boolean; retryAfterMs?: number } = {}): Error {
    return new this.#sdk.DevRigError(message, { code, ...options });
  }

  /** The error of an answer that is none of the good ones. `doing` begins the sentence. */
  fromAnswer(doing: string, answer: Answer): Error {
    const said = messageOf(answer.body);
    const limit = limitOf(answer, said);
    if (limit !== undefined) return this.limited(doing, limit);
    const { status, headers } = answer;
    if (status === 401) {
      return this.of("UNAUTHORIZED", `${doing}: GitHub refuses the token`, {
        hint: `It expired, was revoked or is another server's. Make a new one at ${this.#webUrl}/settings/tokens and enter it in the account.`,
      });
    }
    const sso = ssoOf(headers);
    if (sso !== undefined) {
      return this.of("REFUSED", `${doing}: the organisation asks for single sign-on`, {
        hint: sso === "" ? "Authorise the token for the organisation in its settings." : `Authorise the token at ${sso}`,
      });
    }
    const missing = missingScopes(headers);
    if (status === 403 || (status === 404 && missing.length > 0)) {
      if (missing.length > 0) {
        return this.of("REFUSED", `${doing}: the token lacks the right ${missing.join(" or ")}`, {
          hint: `Make one that has it at ${this.#webUrl}/settings/tokens.`,
        });
      }
      return this.of("REFUSED", `${doing}: GitHub does not allow it${said ? `: ${said}` : ""}`, {
        hint: "Check what the token and your role in the repository allow.",
      });
    }
    if (status === 404) {
      return this.of("NOT_FOUND", `${doing}: it is not there`, {
        hint: "It was deleted, moved, or the token may not see it.",
      });
    }
    if (status === 410) return this.of("NOT_FOUND", `${doing}: it is gone${said ? `: ${said}` : ""}`);
    if (status === 405 || status === 409) {
      return this.of("CONFLICT", `${doing}: ${said || "it changed in the meantime"}`, {
        hint: "Look at what changed, and try again.",
      });
    }
    if (status === 422 || status === 400) {
      return this.of("INVALID_INPUT", `${doing}: ${said || "GitHub does not take that"}`);
    }
    if (status >= 300 && status < 400) {
      return this.of("NOT_FOUND", `${doing}: GitHub points elsewhere, to an address that is not followed`);
    }
    return this.of("HTTP", `${doing}: GitHub answered ${status}${said ? `: ${said}` : ""}`, { retryable: status >= 500 });
  }

  /** A limit, with the time at which it ends. */
  limited(doing: string, limit: Limit): Error {
    const until = new Date(limit.now + limit.waitMs).toISOString().slice(11, 16);
    const what = limit.secondary ? "GitHub asks for a pause" : "the hourly limit of requests is used up";
    return this.of("RATE_LIMITED", `${doing}: ${what}, until ${until} UTC`, {
      retryable: true,
      retryAfterMs: limit.waitMs,
      hint: "DevRig goes on by itself then.",
    });
  }
}

export interface Limit {
  secondary: boolean;
  waitMs: number;
  /** The server's own present, in milliseconds. */
  now: number;
}

/** GitHub's two kinds of limits; a missing time means a minute, as its documentation asks. */
export function limitOf(answer: Answer, said: string): Limit | undefined {
  const { status, headers } = answer;
  if (status !== 403 && status !== 429) return undefined;
  // Both times are the server's, so that a clock of ours that is wrong does no harm.
  const now = Date.parse(headers.get("date") ?? "") || Date.now();
  const retryAfter = Number(headers.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(retryAfter)) return { secondary: true, waitMs: Math.max(1, retryAfter) * 1_000, now };
  if (headers.get("x-ratelimit-remaining") === "0") {
    const reset = Number(headers.get("x-ratelimit-reset")) * 1_000;
    return { secondary: false, waitMs: Math.max(1_000, reset - now || 60_000), now };
  }
  if (status === 429 || /secondary rate limit|abuse/i.test(said)) return { secondary: true, waitMs: 60_000, now };
  return undefined;
}

/** GitHub's own words, with those about fields. */
export function messageOf(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const { message, errors } = body as GitHubErrorBody;
  const parts = typeof message === "string" ? [message] : [];
  for (const error of Array.isArray(errors) ? errors.slice(0, 5) : []) {
    if (typeof error === "string") parts.push(error);
    else if (typeof error?.message === "string") parts.push(error.message);
    else if (typeof error?.field === "string") parts.push(`${error.field} ${error.code ?? "is wrong"}`);
  }
  return parts.join("; ").slice(0, 500);
}

/** The page of a single sign-on that is asked for; empty when it is not named. */
function ssoOf(headers: Headers): string | undefined {
  const sso = headers.get("x-github-sso");
  if (sso === null || !sso.startsWith("required")) return undefined;
  return /url=(https?:\/\/[^;\s]+)/.exec(sso)?.[1] ?? "";
}

const list = (text: string | null) => (text ?? "").split(",").map((one) => one.trim()).filter(Boolean);

/** Rights of which one is needed, when the token has none of them. Wider ones hold narrower ones. */
export function missingScopes(headers: Headers): string[] {
  if (!headers.has("x-oauth-scopes")) return [];
  const has = new Set(list(headers.get("x-oauth-scopes")));
  const needs = list(headers.get("x-accepted-oauth-scopes"));
  const held = (scope: string) => has.has(scope) || has.has(WIDER[scope] ?? "");
  return needs.length > 0 && !needs.some(held) ? needs : [];
}

const WIDER: Record<string, string> = {
  public_repo: "repo",
  "repo:status": "repo",
  "repo:invite": "repo",
  notifications: "repo",
  "read:user": "user",
  "read:org": "write:org",
  "write:org": "admin:org",
};
