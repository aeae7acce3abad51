import type { ActionDefinition, ActionHandler, ActionResult } from "../actions.ts";
import type { ConditionDefinition, ConditionEvaluator } from "../conditions.ts";
import type { Connection, ConnectionResult } from "../connection.ts";
import type { GitState } from "../git.ts";
import type { HookCall, HookHandler, HookOutcome, HookVerdict } from "../hooks.ts";
import type { InboxItem, InboxItemInput } from "../inbox.ts";
import type { PluginManifest } from "../manifest.ts";
import type { DevRigSDK, Logger, PluginDefinition } from "../sdk.ts";
import type { DataSource, SyncContext, SyncHandlerResult, SyncProgress } from "../sources.ts";
import type { PollResult, TriggerHandler } from "../triggers.ts";
import { FakeError, invalid } from "./error.ts";
import { FakeInbox } from "./inbox.ts";
import { Permissions } from "./permissions.ts";

/** Answers a request, or passes it on by returning undefined. */
export type FakeRoute = (request: Request) => Response | Promise<Response> | undefined;

export interface FakeGit {
  /** By path. A function is asked at each reading, and may throw. */
  repositories?: Record<string, GitState | (() => GitState | Promise<GitState>)>;
  /** Called instead of fetching; may change `repositories`, or throw. */
  fetch?: (repository: string, remote: string | undefined) => void | Promise<void>;
}

export interface FakeHostOptions {
  /** Your `devrig-plugin.json`: what is not declared there is refused. */
  manifest: PluginManifest;
  settings?: Record<string, unknown>;
  /** Permissions in force; all that the manifest declares when absent. */
  grants?: string[];
  secrets?: Record<string, string>;
  storage?: Record<string, unknown>;
  /** Tried in order; a request that none answers fails as an unreachable host does. */
  fetch?: FakeRoute | FakeRoute[];
  git?: FakeGit;
  accountId?: string;
  /** The present, for items' own times. */
  now?: () => Date;
}

export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  message: string;
  meta?: unknown;
}

/** Runs a plugin as DevRig would, in the test's own process. */
export class FakeHost {
  readonly logs: LogLine[] = [];
  readonly storage: Map<string, unknown>;
  readonly notifications: { title: string; body: string }[] = [];
  readonly emitted: { topic: string; data: unknown }[] = [];
  readonly progress: SyncProgress[] = [];
  /** Events of triggers, as flows would get them. */
  readonly fired: { trigger: string; payload: unknown; id: string | undefined }[] = [];
  /** Requests that were sent, before any answer. */
  readonly requests: Request[] = [];
  /** Folders that were opened. */
  readonly opened: string[] = [];
  /** Fetches that were asked for. */
  readonly fetched: { repository: string; remote: string | undefined }[] = [];
  /** What the plugin sees. */
  readonly sdk: DevRigSDK;

  readonly #options: FakeHostOptions;
  readonly #permissions: Permissions;
  readonly #inbox = new FakeInbox();
  readonly #sources = new Map<string, DataSource>();
  readonly #actions = new Map<string, ActionHandler | ActionDefinition>();
  readonly #conditions = new Map<string, ConditionEvaluator | ConditionDefinition>();
  readonly #hooks = new Map<string, HookHandler>();
  readonly #triggers = new Map<string, TriggerHandler>();
  readonly #begin: ((sdk: DevRigSDK) => void | Promise<void>)[] = [];
  readonly #end: (() => void | Promise<void>)[] = [];
  readonly #topics = new Map<string, Set<(data: unknown) => void | Promise<void>>>();
  readonly #placeholders = new Map<string, string>();
  #connection: Connection | undefined;
  #phase: "new" | "activating" | "active" = "new";
  /** An action that a person started is running. */
  #acting = 0;
  #keys = 0;

  constructor(options: FakeHostOptions) {
    this.#options = options;
    const { manifest } = options;
    this.storage = new Map(Object.entries(structuredClone(options.storage ?? {})));
    this.#permissions = new Permissions(manifest.name, manifest.permissions ?? [], options.grants, this.#settings());
    this.sdk = this.#makeSdk();
  }

  /** All items, in the order of their first storing. */
  get items(): InboxItem[] {
    return structuredClone([...this.#inbox.items.values()]);
  }

  item(externalId: string): InboxItem | undefined {
    return structuredClone(this.#inbox.items.get(externalId));
  }

  /** Activates a plugin. Fails, as DevRig does, when it registers what is not declared. */
  async start(plugin: PluginDefinition): Promise<this> {
    if (this.#phase !== "new") throw new Error("a plugin was started on this host already");
    this.#phase = "activating";
    await plugin.activate(this.sdk);
    for (const callback of this.#begin) await callback(this.sdk);
    if (plugin.deactivate) this.#end.push(() => plugin.deactivate?.());
    this.#phase = "active";
    return this;
  }

  /** Runs the deactivate callbacks. */
  async stop(): Promise<void> {
    for (const callback of this.#end) await callback();
  }

  /** Syncs a source once. Throws what the source throws. */
  async sync(
    source: string,
    options: { cursor?: string; backfill?: boolean; signal?: AbortSignal } = {},
  ): Promise<SyncHandlerResult & { itemCount: number; hasMore: boolean }> {
    const found = this.#sources.get(source);
    if (found === undefined) throw new FakeError(`data source "${source}" is not registered`, { code: "NOT_FOUND" });
    const result = await found.sync(options.cursor, this.#syncContext(options));
    if (typeof result?.cursor !== "string") throw invalid(`data source "${source}" returned no cursor`);
    return { itemCount: 0, hasMore: false, ...result };
  }

  /** Syncs until the source has no more, and returns the last cursor. */
  async syncAll(source: string, cursor?: string): Promise<string> {
    let at = cursor;
    for (;;) {
      const result = await this.sync(source, { cursor: at, backfill: cursor === undefined });
      if (!result.hasMore) return result.cursor;
      if (result.cursor === at) throw invalid(`data source "${source}" has more, but its cursor did not move`);
      at = result.cursor;
    }
  }

  /** Runs an action as a person does, and applies its `itemUpdate`. */
  async action(
    id: string,
    input: unknown = {},
    options: { item?: string | InboxItem; idempotencyKey?: string; signal?: AbortSignal } = {},
  ): Promise<ActionResult> {
    const action = this.#actions.get(id);
    if (action === undefined) throw new FakeError(`action "${id}" is not registered`, { code: "NOT_FOUND" });
    const inboxItem = typeof options.item === "string" ? this.item(options.item) : options.item;
    if (typeof options.item === "string" && inboxItem === undefined) throw new Error(`there is no item ${options.item}`);
    const context = {
      inboxItem,
      logger: this.sdk.log,
      secrets: this.sdk.secrets,
      http: this.sdk.http,
      signal: options.signal ?? new AbortController().signal,
      idempotencyKey: options.idempotencyKey ?? `key-${++this.#keys}`,
    };
    this.#acting++;
    try {
      const result = typeof action === "function" ? await action(input, context) : await action.execute(input, context);
      if (result.itemUpdate && inboxItem && this.#inbox.items.has(inboxItem.externalId)) this.#inbox.update(inboxItem.externalId, result.itemUpdate, this.#now());
      return result;
    } finally {
      this.#acting--;
    }
  }

  /** Asks a trigger for news as a flow's does, without its config being checked. */
  async poll(
    id: string,
    options: { config?: unknown; cursor?: unknown; flow?: { id: string; name: string }; signal?: AbortSignal } = {},
  ): Promise<PollResult> {
    const trigger = this.#triggers.get(id);
    if (trigger === undefined) throw new FakeError(`trigger "${id}" is not registered`, { code: "NOT_FOUND" });
    const result = await trigger.poll(plain(options.config ?? {}), options.cursor ?? undefined, this.#asking(options));
    if (!Array.isArray(result?.events)) throw invalid(`trigger "${id}" returned no events`, "It returns { events: [{ id?, payload }], cursor?, hasMore? }.");
    return plain(result);
  }

  /** Asks a condition as a flow does, without its time limit. Throws what DevRig counts as false. */
  async condition(
    id: string,
    args: unknown[] = [],
    options: { flow?: { id: string; name: string }; signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const condition = this.#conditions.get(id);
    if (condition === undefined) throw new FakeError(`condition "${id}" is not registered`, { code: "NOT_FOUND" });
    const context = this.#asking(options);
    const given = plain(args);
    const said: unknown = await (typeof condition === "function" ? condition(given, context) : condition.evaluate(given, context));
    if (typeof said !== "boolean") throw invalid(`condition "${id}" answered neither true nor false`);
    return said;
  }

  /** Asks a hook before an action, without its time limit. Throws what DevRig lets pass with a warning. */
  async before(id: string, call: Partial<HookCall> = {}, options: { signal?: AbortSignal } = {}): Promise<HookVerdict> {
    const hook = this.#hook(id);
    if (hook.before === undefined) throw new FakeError(`hook "${id}" has no before function`, { code: "NOT_FOUND" });
    const said: unknown = await hook.before(aCall(call), this.#asking(options));
    if (said === undefined || said === null) return {};
    const { refuse, ...rest } = said as Record<string, unknown>;
    if (typeof said !== "object" || Object.keys(rest).length > 0 || !["string", "undefined"].includes(typeof refuse)) {
      throw invalid(`hook "${id}" answered something else`, 'It returns nothing, or { refuse: "why" }.');
    }
    return plain(said);
  }

  /** Tells a hook how an action went. Throws what the hook throws. */
  async after(
    id: string,
    call: Partial<HookCall> = {},
    outcome: Partial<HookOutcome> = {},
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const hook = this.#hook(id);
    if (hook.after === undefined) throw new FakeError(`hook "${id}" has no after function`, { code: "NOT_FOUND" });
    await hook.after(aCall(call), plain({ ok: true, durationMs: 1, outputLeftOut: false, ...outcome }), this.#asking(options));
  }

  /** Asks whose the secret is, as entering one does. */
  async check(): Promise<ConnectionResult> {
    if (this.#connection === undefined) throw new FakeError("the plugin registered no connection", { code: "NOT_FOUND" });
    return this.#connection.check();
  }

  /** Does what the person does to items. */
  markRead(...externalIds: string[]): void {
    this.#inbox.setStatus(externalIds, "read");
  }

  markDone(...externalIds: string[]): void {
    this.#inbox.setStatus(externalIds, "archived");
  }

  /** Delivers an event to the plugin's subscriptions. */
  async deliver(topic: string, data: unknown): Promise<void> {
    for (const handler of this.#topics.get(topic) ?? []) await handler(structuredClone(data));
  }

  /** As DevRig gives them: with the defaults of a schema that stands in the manifest. */
  #settings(): Record<string, unknown> {
    const schema = this.#options.manifest.settingsSchema as { properties?: Record<string, { default?: unknown }> } | string | undefined;
    const properties = typeof schema === "object" ? Object.entries(schema.properties ?? {}) : [];
    const defaults = properties.filter(([, property]) => property.default !== undefined);
    return { ...Object.fromEntries(defaults.map(([name, property]) => [name, property.default])), ...this.#options.settings };
  }

  #asking(options: { flow?: { id: string; name: string }; signal?: AbortSignal }) {
    return {
      flow: options.flow ?? { id: "flow", name: "Flow" },
      logger: this.sdk.log,
      secrets: this.sdk.secrets,
      http: this.sdk.http,
      signal: options.signal ?? new AbortController().signal,
    };
  }

  #hook(id: string): HookHandler {
    this.#permissions.need("flows:hooks");
    const hook = this.#hooks.get(id);
    if (hook === undefined) throw new FakeError(`hook "${id}" is not registered`, { code: "NOT_FOUND" });
    return hook;
  }

  #fire(trigger: string, payload: unknown, id: string | undefined): { flows: number } {
    const declared = this.#options.manifest.capabilities?.triggers ?? [];
    if (!declared.some((one) => one.id === trigger)) {
      throw new FakeError(`the trigger "${trigger}" is not declared in the manifest`, {
        code: "REFUSED",
        hint: "Add it to capabilities.triggers in devrig-plugin.json.",
      });
    }
    this.fired.push({ trigger, payload: plain(payload ?? null), id });
    return { flows: 1 };
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString();
  }

  #syncContext(options: { backfill?: boolean; signal?: AbortSignal; cursor?: string }): SyncContext {
    const inbox = <T>(work: () => T): Promise<T> => answer(() => (this.#permissions.need("inbox:write"), work()));
    return {
      storeItems: (items: InboxItemInput[]) => inbox(() => this.#inbox.store(plain(items), this.#now())),
      queryItems: (query) => inbox(() => this.#inbox.query(query)),
      markRead: (ids) => inbox(() => (this.#inbox.setStatus(ids, "read"), null)),
      archive: (ids) => inbox(() => (this.#inbox.setStatus(ids, "archived"), null)),
      reportSyncProgress: (progress) => answer(() => (this.progress.push(plain(progress)), null)),
      backfill: options.backfill ?? options.cursor === undefined,
      signal: options.signal ?? new AbortController().signal,
    };
  }

  #register<T>(kind: string, declared: { id: string }[], into: Map<string, T>, id: string, value: T): void {
    if (this.#phase !== "activating") {
      throw invalid(`${kind} "${id}" was registered after activation`, "Register in the activate callback.");
    }
    if (!declared.some((one) => one.id === id)) {
      throw new FakeError(`${kind} "${id}" is not declared in the manifest`, {
        code: "REFUSED",
        hint: "Add it to capabilities in devrig-plugin.json.",
      });
    }
    if (into.has(id)) throw new FakeError(`${kind} "${id}" is registered twice`, { code: "CONFLICT" });
    into.set(id, value);
  }

  #makeSdk(): DevRigSDK {
    const { manifest } = this.#options;
    const capabilities = manifest.capabilities ?? {};
    const permissions = this.#permissions;
    const line = (level: LogLine["level"]) => (message: string, meta?: unknown) => {
      this.logs.push(meta === undefined ? { level, message } : { level, message, meta });
    };
    const log: Logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
    const stored = <T>(work: () => T): Promise<T> => answer(() => (permissions.need("storage"), work()));
    return Object.freeze<DevRigSDK>({
      activate: (callback) => void this.#begin.push(callback),
      deactivate: (callback) => void this.#end.push(callback),
      dataSources: {
        register: (id, source) => this.#register("data source", capabilities.dataSources ?? [], this.#sources, id, source),
      },
      actions: {
        register: (id, action) => this.#register("action", capabilities.actions ?? [], this.#actions, id, action),
      },
      triggers: {
        register: (id, handler) => this.#register("trigger", capabilities.triggers ?? [], this.#triggers, id, handler as TriggerHandler),
        fire: (id, payload, options) => answer(() => this.#fire(id, payload, options?.id)),
      },
      conditions: {
        register: (id, condition) => this.#register("condition", capabilities.conditions ?? [], this.#conditions, id, condition),
      },
      hooks: {
        register: (id, hook) => {
          if (typeof hook?.before !== "function" && typeof hook?.after !== "function") {
            throw new TypeError(`hook "${id}" needs a before or an after function`);
          }
          this.#register("hook", capabilities.hooks ?? [], this.#hooks, id, hook);
        },
      },
      connection: {
        register: (connection) => {
          if (this.#phase !== "activating") {
            throw invalid("the connection was registered after activation", "Register in the activate callback.");
          }
          if (manifest.connection === undefined) {
            throw new FakeError("a connection is not declared in the manifest", {
              code: "REFUSED",
              hint: "Add connection to devrig-plugin.json.",
            });
          }
          if (this.#connection !== undefined) throw new FakeError("the connection is registered twice", { code: "CONFLICT" });
          this.#connection = connection;
        },
      },
      log,
      secrets: {
        ref: (name) => answer(() => this.#placeholder(name)),
        basic: (user, password) =>
          answer(() => this.#keep(`Basic ${btoa(`${this.#reveal(user)}:${this.#reveal(password)}`)}`)),
        get: (name) => answer(() => (permissions.need(`secrets:reveal:${name}`), this.#options.secrets?.[name] ?? null)),
        list: () => answer(() => Object.keys(this.#options.secrets ?? {})),
      },
      http: { fetch: (input, init) => this.#fetch(new Request(input, init)) },
      storage: {
        get: <T>(key: string) => stored(() => plain((this.storage.get(key) ?? null) as T | null)),
        set: (key, value) => stored(() => (this.storage.set(key, plain(value ?? null)), null)),
        delete: (key) => stored(() => (this.storage.delete(key), null)),
        list: (prefix = "") => stored(() => [...this.storage.keys()].filter((key) => key.startsWith(prefix)).sort()),
      },
      events: {
        emit: (topic, data) => answer(() => (this.emitted.push({ topic, data: plain(data ?? null) }), null)),
        on: (topic, handler) => {
          const handlers = this.#topics.get(topic) ?? new Set();
          this.#topics.set(topic, handlers.add(handler));
          return () => void handlers.delete(handler);
        },
      },
      git: {
        discover: (folder) => answer(() => this.#discover(folder)),
        state: (repository) => this.#state(repository),
        fetch: (repository, options) => this.#gitFetch(repository, typeof options === "string" ? options : options?.remote),
      },
      desktop: { openFolder: (path) => answer(() => this.#openFolder(path)) },
      notify: (message: string | { title: string; body?: string }, body?: string) =>
        answer(() => {
          permissions.need("notifications");
          const given = typeof message === "string" ? { title: message, body } : message;
          this.notifications.push({ title: given.title, body: given.body ?? "" });
          return null;
        }),
      settings: Object.freeze(structuredClone(this.#settings())),
      version: manifest.version,
      pluginId: manifest.name,
      accountId: this.#options.accountId ?? "account-1",
      apiVersion: "1.0.0",
      DevRigError: FakeError,
      aiPipelines: { register: unsupported("sdk.aiPipelines") },
      views: { register: unsupported("sdk.views") },
      ai: { registerProvider: unsupported("sdk.ai") },
      exporters: { register: unsupported("sdk.exporters") },
      services: { register: unsupported("sdk.services") },
    });
  }

  // ---- secrets and requests ----

  #placeholder(name: string): string {
    this.#permissions.need(`secrets:${name}`);
    const value = this.#options.secrets?.[name];
    if (value === undefined) {
      throw new FakeError(`the secret ${name} has no value`, { code: "NOT_FOUND", hint: "Enter it in the plugin's settings." });
    }
    return this.#keep(value);
  }

  #keep(value: string): string {
    const placeholder = `devrig-secret-${this.#placeholders.size + 1}`;
    this.#placeholders.set(placeholder, value);
    return placeholder;
  }

  #reveal(text: string): string {
    return text.replaceAll(/devrig-secret-\d+/g, (found) => this.#placeholders.get(found) ?? found);
  }

  /** Routes see real values in headers, as the service would; `requests` too. */
  async #fetch(request: Request): Promise<Response> {
    this.#permissions.needHost(new URL(request.url), request.method);
    const headers = new Headers([...request.headers].map(([name, value]): [string, string] => [name, this.#reveal(value)]));
    const sent = new Request(request, { headers });
    this.requests.push(sent.clone());
    const routes = [this.#options.fetch ?? []].flat();
    for (const route of routes) {
      const response = await route(sent.clone());
      if (response !== undefined) return response;
    }
    throw new FakeError(`${sent.url}: no route of the fake host answers`, { code: "NETWORK" });
  }

  // ---- git and desktop ----

  #discover(folder: string): { repositories: string[] } {
    this.#permissions.needFolder("git:read", folder);
    const above = folder.replace(/\/+$/, "");
    const inside = (path: string) => path === above || path.startsWith(`${above}/`);
    return { repositories: Object.keys(this.#options.git?.repositories ?? {}).filter(inside).sort() };
  }

  async #state(repository: string): Promise<GitState> {
    this.#permissions.needFolder("git:read", repository);
    const state = this.#options.git?.repositories?.[repository];
    if (state === undefined) {
      throw new FakeError(`a git repository at ${repository} was not found`, { code: "NOT_FOUND", hint: "Name the folder that holds .git." });
    }
    return plain(typeof state === "function" ? await state() : state);
  }

  async #gitFetch(repository: string, remote: string | undefined): Promise<null> {
    this.#permissions.needFolder("git:fetch", repository);
    this.fetched.push({ repository, remote });
    await this.#options.git?.fetch?.(repository, remote);
    return null;
  }

  #openFolder(path: string): null {
    this.#permissions.need("desktop:open-folder");
    if (!this.#permissions.mayReadFolder(path)) this.#permissions.needFolder("git:read", path);
    if (this.#acting === 0) {
      throw new FakeError("a folder is opened only while an action that a person started runs", { code: "REFUSED" });
    }
    this.opened.push(path);
    return null;
  }
}

/** A host for one plugin. */
export function createFakeHost(options: FakeHostOptions): FakeHost {
  return new FakeHost(options);
}

function aCall(call: Partial<HookCall>): HookCall {
  const usual: HookCall = {
    flow: { id: "flow", name: "Flow" },
    run: "run",
    node: "node",
    attempt: 1,
    action: "http.request",
    effect: "write",
    input: {},
    leftOut: [],
  };
  return plain({ ...usual, ...call });
}

function unsupported(what: string): () => never {
  return () => {
    throw new FakeError(`${what} is not available in this version of DevRig`, {
      code: "UNSUPPORTED",
      hint: "Update DevRig, or leave this part out of the plugin.",
    });
  };
}

/** As the worker's calls do: always a promise, refusals included. */
async function answer<T>(work: () => T): Promise<T> {
  return work();
}

/** What crosses to the host is JSON. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
