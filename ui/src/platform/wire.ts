// What travels between the interface and the engine. Everything here imports its types from this file;
// all of them come from `bindings.ts`, which is generated from the engine's one list of calls.

import type { commands, Error as WireError, LogLine as WireLogLine } from './bindings';

export type {
  AccountInfo,
  ActionInfo,
  ConnectInfo,
  ConnectionState,
  DataSourceInfo,
  EngineEvent,
  EngineInfo,
  InboxStats,
  Item,
  ItemSummary,
  JobInfo,
  KeychainStatus,
  OperationDone,
  OperationKind,
  OperationRow,
  OutboxRow,
  Page,
  PermissionInfo,
  PluginInfo,
  PluginSource,
  PluginState,
  Priority,
  Rule,
  RuleDraft,
  SecretInfo,
  SplitInfo,
  SyncStatus,
  Tag,
  Target,
  Triage,
  Verdict,
} from './bindings';

export type Timestamp = string;
/** `Error` in Rust; here that name is taken. Codes that this version does not know may come too. */
export type DevRigError = Omit<WireError, 'code'> & { code: string };
export type Category = WireError['category'];
export type LogLine = WireLogLine;

/** `inboxList` → `inbox_list`: the engine's name of a call. */
type Snake<Name extends string> = Name extends `${infer Head}${infer Rest}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Snake<Rest>}`
    : `_${Lowercase<Head>}${Snake<Rest>}`
  : '';

type Answer<Command> = Command extends (...args: never[]) => Promise<infer Outcome> ? (Outcome extends { status: 'ok'; data: infer Data } ? Data : never) : never;

/** The window's own commands are not calls of the engine. */
type EngineCommand = Exclude<keyof typeof commands, 'openUrl' | 'setTheme' | 'setZoom'>;

/** Every call of the engine, as the list in Rust has it. */
export type Calls = {
  [Name in EngineCommand as Snake<Name>]: (args: Parameters<(typeof commands)[Name]>[0]) => Answer<(typeof commands)[Name]>;
};
