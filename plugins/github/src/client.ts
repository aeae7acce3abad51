import type { DevRigError, DevRigSDK } from "@devrig/sdk";
import { Errors, limitOf, messageOf } from "./errors.ts";
import type { Settings } from "./settings.ts";

const VERSION = "2022-11-28";

export interface RestOptions {
  method?: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Statuses beside 2xx that are no errors, such as 304. */
  fine?: number[];
  /** Begins the sentence of an error: "Merging acme/api#7". */
  doing: string;
}

export interface Reply<T> {
  status: number;
  headers: Headers;
  /** Null where there is no content. */
  data: T;
}

interface GraphQlBody {
  data?: unknown;
  errors?: { type?: string; message?: string; path?: (string | number)[] }[];
}

/** GitHub's two interfaces, with the token's placeholder, and errors in words. */
export class Client {
  readonly errors: Errors;
  readonly settings: Settings;
  readonly #sdk: DevRigSDK;

  constructor(sdk: DevRigSDK, settings: Settings) {
    this.#sdk = sdk;
    this.settings = settings;
    this.errors = new Errors(sdk, settings.webUrl);
  }

  /** A call of the REST interface; `path` begins with a slash. */
  async rest<T>(path: string, options: RestOptions): Promise<Reply<T>> {
    const url = new URL(`${this.settings.baseUrl}${path}`);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { response, body } = await this.#send(url.href, options);
    if (!response.ok && !(options.fine ?? []).includes(response.status)) {
      throw this.errors.fromAnswer(options.doing, { status: response.status, headers: response.headers, body });
    }
    return { status: response.status, headers: response.headers, data: body as T };
  }

  /** A query. A part that cannot be read is null in the answer, and costs the others nothing. */
  async graphql<T>(query: string, variables: Record<string, unknown>, doing: string, signal?: AbortSignal): Promise<T> {
    const options: RestOptions = { method: "POST", body: { query, variables }, doing, ...(signal ? { signal } : {}) };
    const { response, body } = await this.#send(this.settings.graphqlUrl, options);
    const answer = { status: response.status, headers: response.headers, body };
    if (!response.ok) throw this.errors.fromAnswer(doing, answer);
    const { data, errors = [] } = (body ?? {}) as GraphQlBody;
    if (errors.some((error) => error.type === "RATE_LIMITED")) {
      const limit = limitOf({ ...answer, status: 403 }, "secondary rate limit");
      if (limit !== undefined) throw this.errors.limited(doing, limit);
    }
    if (data === null || data === undefined) {
      throw this.errors.of("HTTP", `${doing}: ${messageOf(errors[0]) || "GitHub gave no data"}`, {
        retryable: errors.length === 0,
      });
    }
    for (const error of errors) this.#sdk.log.debug(`GraphQL: ${error.message ?? error.type}`, { path: error.path });
    return data as T;
  }

  async #fetch(url: string, init: RequestInit, doing: string): Promise<{ response: Response; text: string }> {
    try {
      const response = await this.#sdk.http.fetch(url, init);
      return { response, text: await response.text() };
    } catch (error) {
      // As on the web: a connection that is not there or breaks off is a TypeError. What DevRig knows rides along.
      if (!(error instanceof TypeError)) throw error;
      const { code = "NETWORK", retryable = true, hint, retryAfterMs } = error as Partial<DevRigError>;
      const said = error.message.replace(/^fetch failed:?\s*/, "") || "GitHub could not be reached";
      throw this.errors.of(code, `${doing}: ${said}`, { retryable, ...(hint ? { hint } : {}), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    }
  }

  async #send(url: string, options: RestOptions): Promise<{ response: Response; body: unknown }> {
    const token = await this.#sdk.secrets.ref("github_token");
    const headers: Record<string, string> = {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": VERSION,
      "user-agent": `DevRig/${this.#sdk.version}`,
      ...options.headers,
    };
    const init: RequestInit = { method: options.method ?? "GET", headers };
    if (options.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(options.body);
    }
    if (options.signal) init.signal = options.signal;
    const { response, text } = await this.#fetch(url, init, options.doing);
    if (text === "") return { response, body: null };
    try {
      return { response, body: JSON.parse(text) as unknown };
    } catch {
      if (!response.ok) return { response, body: null };
      throw this.errors.of("HTTP", `${options.doing}: what GitHub answered is cut or no JSON`, { retryable: true });
    }
  }
}
