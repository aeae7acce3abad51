import type { ActionDefinition, ActionHandler } from "./actions.ts";
import type { ConditionDefinition, ConditionEvaluator } from "./conditions.ts";
import type { Connection } from "./connection.ts";
import type { Git } from "./git.ts";
import type { HookHandler } from "./hooks.ts";
import type { DataSource } from "./sources.ts";
import type { FireOptions, TriggerHandler } from "./triggers.ts";

/** Any value that survives JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A plugin: the default export of its entry module. */
export interface PluginDefinition {
  /** Registers what the manifest declares. Runs once, when the worker starts. */
  activate(sdk: DevRigSDK): void | Promise<void>;
  /** Runs before the worker ends in an orderly way. It may also be killed without. */
  deactivate?(): void | Promise<void>;
}

/**
 * All that a plugin can do. Every call that reaches out of the worker is checked against what the
 * manifest declares and the person granted; a refusal is a {@link DevRigError} with the code
 * `REFUSED`.
 */
export interface DevRigSDK {
  /** Adds a callback that runs at start; the same as a default export with `activate`. */
  activate(callback: (sdk: DevRigSDK) => void | Promise<void>): void;
  /** Adds a callback that runs before the end. */
  deactivate(callback: () => void | Promise<void>): void;

  /** Sources of inbox items. */
  readonly dataSources: {
    /** `id` is one of `capabilities.dataSources` in the manifest. During activation only. */
    register(id: string, source: DataSource): void;
  };
  /** What can be done, alone or to an item. */
  readonly actions: {
    /** `id` is one of `capabilities.actions` in the manifest. During activation only. */
    register(id: string, action: ActionHandler | ActionDefinition): void;
  };

  /** What starts flows. */
  readonly triggers: {
    /**
     * `id` is one of `capabilities.triggers` in the manifest, with `pollIntervalMs`. During
     * activation only.
     */
    register<C = unknown>(id: string, handler: TriggerHandler<C>): void;
    /**
     * Starts each flow that waits for the trigger of this account. Resolves when they have the event
     * on disk, with how many they are. Not from conditions; at most 1,000 events a minute.
     */
    fire(id: string, payload?: unknown, options?: FireOptions): Promise<{ flows: number }>;
  };
  /** What flows can ask. */
  readonly conditions: {
    /** `id` is one of `capabilities.conditions` in the manifest. During activation only. */
    register(id: string, condition: ConditionEvaluator | ConditionDefinition): void;
  };
  /** What stands around actions of flows. */
  readonly hooks: {
    /** `id` is one of `capabilities.hooks` in the manifest. During activation only. */
    register(id: string, hook: HookHandler): void;
  };

  /** Whose the account's secret is. */
  readonly connection: {
    /** Needs `connection` in the manifest. During activation only, and once. */
    register(connection: Connection): void;
  };

  readonly log: Logger;
  readonly secrets: Secrets;
  readonly http: Http;
  readonly storage: Storage;
  readonly events: Events;
  readonly git: Git;
  readonly desktop: Desktop;

  /** Shows a native notification. Needs `notifications`. */
  notify(title: string, body?: string): Promise<null>;
  notify(message: { title: string; body?: string }): Promise<null>;

  /** The account's settings, valid against the manifest's `settingsSchema`. Frozen: a change
   * restarts the worker. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The plugin's own version. */
  readonly version: string;
  /** The manifest's name. */
  readonly pluginId: string;
  /** The account that this worker serves; each has its own worker, items, secrets and storage. */
  readonly accountId: string;
  /** The version of this interface, such as `1.0.0`. */
  readonly apiVersion: string;
  /** The class of errors that come from DevRig. */
  readonly DevRigError: new (message: string, options?: DevRigErrorOptions) => DevRigError;

  /** Of later versions of DevRig: throws `UNSUPPORTED`. */
  readonly aiPipelines: { register(id: string, pipeline: unknown): never };
  /** Of later versions of DevRig: throws `UNSUPPORTED`. */
  readonly views: { register(id: string, view: unknown): never };
  /** Of later versions of DevRig: throws `UNSUPPORTED`. */
  readonly ai: { registerProvider(provider: unknown): never };
  /** Of later versions of DevRig: throws `UNSUPPORTED`. */
  readonly exporters: { register(id: string, exporter: unknown): never };
  /** Of later versions of DevRig: throws `UNSUPPORTED`. */
  readonly services: { register(id: string, service: unknown): never };
}

export interface DevRigErrorOptions {
  code?: string;
  retryable?: boolean;
  hint?: string;
  /** When the same may be tried again, in milliseconds from now; a day at most. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** An error from DevRig, or one of your own in its form: code, hint and retry reach the person. */
export interface DevRigError extends Error {
  readonly name: "DevRigError";
  /** Such as `REFUSED`, `NOT_FOUND`, `INVALID_INPUT`, `NETWORK`, `TIMEOUT`, `RATE_LIMITED`. */
  readonly code: string;
  /** Trying again later may help. */
  readonly retryable: boolean;
  /** What can be done about it. */
  readonly hint?: string;
  /** When the same may be tried again, in milliseconds from then. */
  readonly retryAfterMs?: number;
}

/** The plugin's log, which the person can read. Secrets do not belong in it. */
export interface Logger {
  debug(message: string, meta?: unknown): void;
  info(message: string, meta?: unknown): void;
  warn(message: string, meta?: unknown): void;
  error(message: string, meta?: unknown): void;
}

/** The account's secrets, which the person entered. */
export interface Secrets {
  /**
   * A placeholder to put into a header of an https request to the host that the secret is bound
   * to; DevRig puts the value in its place, outside of the worker. Needs `secrets:<name>`.
   */
  ref(name: string): Promise<string>;
  /** A placeholder of `Basic …` for an `Authorization` header, of placeholders or plain texts. */
  basic(user: string, password: string): Promise<string>;
  /** The value itself, or null. Needs the louder permission `secrets:reveal:<name>`. */
  get(name: string): Promise<string | null>;
  /** The names of the secrets that have a value. */
  list(): Promise<string[]>;
}

/** Requests to the hosts that `network:` permissions name. The global `fetch` is the same. */
export interface Http {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** A key-value store of this account. Needs `storage`. */
export interface Storage {
  /** The value, or null. */
  get<T = Json>(key: string): Promise<T | null>;
  set(key: string, value: unknown): Promise<null>;
  delete(key: string): Promise<null>;
  /** Keys that start with the prefix, all without one. */
  list(prefix?: string): Promise<string[]>;
}

/** Events of the plugin's own namespace. */
export interface Events {
  emit(topic: string, data?: unknown): Promise<null>;
  /** Returns what ends the subscription. */
  on(topic: string, handler: (data: unknown) => void | Promise<void>): () => void;
}

export interface Desktop {
  /**
   * Opens a folder in the file manager. Needs `desktop:open-folder`, and that the folder lies
   * below one that the plugin may read; only while an action that a person started runs.
   */
  openFolder(path: string): Promise<null>;
}
