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
  };
  settingsSchema?: unknown;
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
