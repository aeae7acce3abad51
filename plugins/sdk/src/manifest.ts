/**
 * `devrig-plugin.json`. `devrig-plugin.schema.json` in this package describes it whole; here is
 * what code needs. Loose enough that an imported JSON file fits.
 */
export interface PluginManifest {
  name: string;
  version: string;
  displayName: string;
  description?: string;
  engine: string;
  main: string;
  permissions?: string[];
  capabilities?: {
    dataSources?: DataSourceManifest[];
    actions?: ActionManifest[];
    conditions?: ConditionManifest[];
    hooks?: HookManifest[];
    triggers?: TriggerManifest[];
  };
  settingsSchema?: unknown;
  connection?: ConnectionManifest;
}

/** How a person connects an account. */
export interface ConnectionManifest {
  /** Name of the secret. */
  secret: string;
  title: string;
  description?: string;
  /** The rights that it has to carry. */
  scopes?: { name: string; why: string }[];
  /** The page where one is made; `{settings.NAME}` stands for a setting. */
  url?: string;
}

export interface DataSourceManifest {
  id: string;
  name: string;
  description?: string;
  defaultSyncIntervalMs?: number;
}

export interface ActionManifest {
  id: string;
  name: string;
  description?: string;
  appliesTo?: string[];
  /** Doing it twice is doing it once. */
  idempotent?: boolean;
  /** `pure` and `read` change nothing outside, so that nothing waits in the outbox. */
  effect?: string;
  /** The action that takes this one back. */
  reverse?: string;
}

export interface TriggerManifest {
  id: string;
  name: string;
  description?: string;
  configSchema?: unknown;
  payloadSchema?: unknown;
  samplePayload?: unknown;
  /** Without it only the plugin fires the trigger. */
  pollIntervalMs?: number;
}

/** Needs the permission `flows:hooks`. */
export interface HookManifest {
  id: string;
  name: string;
  description?: string;
  /** `http.request`, `plugin:github:github.comment`, `plugin:github`; a `*` at the end stands for any rest. */
  actions: string[];
  /** One of the two at least. */
  before?: boolean;
  after?: boolean;
}

export interface ConditionManifest {
  id: string;
  name: string;
  description?: string;
  /** JSON Schema of the list of its arguments. */
  configSchema?: unknown;
}
