//! The messages between the core and a plugin worker.
//!
//! One connected stream socket, inherited by the worker as file descriptor 3. A frame is the
//! payload's length as a little-endian `u32`, then that many bytes of JSON: one [`ToWorker`] or
//! one [`FromWorker`] (a worker that runs snippets goes on in [`crate::snippet`]). Frames over [`MAX_FRAME`] are refused before they are buffered, by both
//! sides. Whatever the worker sends is untrusted input to the core.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The protocol's version; both sides must have the same.
pub const VERSION: u32 = 1;

/// The `apiVersion` of the SDK that plugins see.
pub const API_VERSION: &str = "1.0.0";

/// Largest payload of one frame, in bytes.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;

/// Host calls that one worker may have unanswered.
pub const MAX_IN_FLIGHT: usize = 256;

/// Timers that one worker may have armed.
pub const MAX_TIMERS: usize = 10_000;

/// The worker's exit code when the code in it used up its budget and would not stop.
pub const EXIT_OVERRUN: u8 = 4;

/// The file descriptor that the worker inherits.
pub const WORKER_FD: i32 = 3;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToWorker {
    /// First frame of a connection to a plugin.
    Start(Start),
    /// First frame instead of [`Self::Start`]: the worker runs snippets (see [`crate::snippet`])
    /// with at most so many bytes of JavaScript heap each.
    Snippets { protocol: u32, heap_bytes: u64 },
    /// Runs a registered handler. Answered by [`FromWorker::Done`] with the same id.
    Call { id: u64, handler: Handler, input: Value },
    /// Aborts the signal of a running call; its answer still comes.
    Cancel { id: u64 },
    /// Answers [`FromWorker::Host`].
    Reply { id: u64, outcome: Outcome },
    /// An event of a topic that the plugin subscribed to.
    Event { topic: String, data: Value },
    /// Runs the deactivate callback, answers [`FromWorker::Stopped`], and ends.
    Stop,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    pub protocol: u32,
    pub plugin_id: String,
    pub plugin_version: String,
    pub account_id: String,
    /// The entry module, a key of `modules`, such as `dist/index.js`.
    pub main: String,
    /// Every module of the verified package by its path; nothing else can be imported.
    pub modules: BTreeMap<String, String>,
    /// The account's settings, already valid against the plugin's schema.
    pub settings: Value,
    pub limits: Limits,
    /// What the manifest declares; anything else is refused at registration.
    pub declared: Declared,
}

/// What one worker may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// JavaScript heap, in bytes.
    pub heap_bytes: u64,
    /// CPU time of one call, activation included, in milliseconds.
    pub cpu_ms: u64,
    /// Elapsed time of one call, in milliseconds.
    pub wall_ms: u64,
}

impl Default for Limits {
    /// 128 MiB, 5 s of CPU and 30 s on the wall (reference §9.3).
    fn default() -> Self {
        Self { heap_bytes: 128 * 1024 * 1024, cpu_ms: 5_000, wall_ms: 30_000 }
    }
}

/// Ids of the capabilities that a manifest declares, or that a plugin registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Declared {
    pub data_sources: Vec<String>,
    pub actions: Vec<String>,
    pub conditions: Vec<String>,
    pub hooks: Vec<String>,
    pub triggers: Vec<String>,
    /// A check of who the account's secret belongs to.
    pub connection: bool,
}

/// A handler that the plugin registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Handler {
    /// Input is a [`SyncInput`], output a [`SyncOutput`].
    Sync { source: String },
    /// Input is an [`ActionInput`], output the SDK's `ActionResult`.
    Action { action: String },
    /// Input is null, output a [`ConnectionOutput`].
    Connection,
    /// Input is a [`ConditionInput`], output a boolean.
    Condition { condition: String },
    /// Input is a [`PollInput`], output the SDK's `PollResult`.
    Poll { trigger: String },
    /// Input is a [`HookCall`], output a [`HookVerdict`] or null.
    Before { hook: String },
    /// Input is a [`HookReport`], output is ignored.
    After { hook: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncInput {
    /// Absent on the first sync.
    pub cursor: Option<String>,
    /// True until the source has caught up for the first time.
    pub backfill: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncOutput {
    pub cursor: String,
    #[serde(default)]
    pub item_count: u64,
    #[serde(default)]
    pub has_more: bool,
    /// The source asks not to be synced before that many milliseconds.
    #[serde(default)]
    pub next_sync_after_ms: Option<f64>,
}

/// Who the account's secret belongs to, as the service says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionOutput {
    /// Such as a login.
    pub identity: String,
    #[serde(default)]
    pub detail: Option<String>,
    /// What will not work, such as a scope that the token lacks.
    #[serde(default)]
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionInput {
    pub input: Value,
    /// The item it was invoked on, as the SDK's `InboxItem`.
    pub item: Option<Value>,
    /// The same for every attempt of one outward action.
    pub idempotency_key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionInput {
    /// The values that the condition of the flow names, in their order.
    pub args: Vec<Value>,
    pub flow: FlowRef,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollInput {
    pub config: Value,
    /// Absent the first time.
    pub cursor: Option<Value>,
    pub flow: FlowRef,
}

/// One attempt of an action of a flow, without secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HookCall {
    pub flow: FlowRef,
    pub run: String,
    /// The path of the node in its run.
    pub node: String,
    /// Counts from 1.
    pub attempt: u32,
    /// Absent for one of DevRig's own actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    pub action: String,
    /// `read` or `write`.
    pub effect: String,
    pub input: Value,
    /// Fields of the input that were too large to be shown.
    pub left_out: Vec<String>,
}

/// How an attempt went, without secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HookOutcome {
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<HookError>,
    pub duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The output was too large to be shown.
    pub output_left_out: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HookError {
    pub code: String,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HookReport {
    pub call: HookCall,
    pub outcome: HookOutcome,
}

/// What a hook says before an action; nothing lets it pass.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookVerdict {
    /// Why it must not be done.
    #[serde(default)]
    pub refuse: Option<String>,
}

/// The flow on whose behalf a plugin is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowRef {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromWorker {
    /// The sandbox is closed; sent before anything of a plugin is read.
    Ready {
        protocol: u32,
        sandbox: SandboxReport,
    },
    /// Activation ended well.
    Active {
        registered: Declared,
    },
    /// A handler ended. Also answers `Start` when activation fails, with id 0.
    Done {
        id: u64,
        outcome: Outcome,
    },
    /// A call to the broker. `call` is the running handler it belongs to, 0 for activation.
    Host {
        id: u64,
        call: u64,
        method: HostMethod,
        params: Value,
    },
    /// One line of the plugin's log or console.
    Log {
        level: LogLevel,
        message: String,
        meta: Option<Value>,
    },
    Stopped,
}

/// Which layers of the sandbox hold in this worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxReport {
    pub seccomp: bool,
    pub landlock: bool,
    pub rlimits: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Ok(Value),
    Err(Failure),
}

/// An error as plugin code sees it: the thrown error's `name`, `code`, `message` and `stack`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failure {
    pub name: String,
    pub code: String,
    pub message: String,
    pub retryable: bool,
    /// In the plugin's own file and line.
    pub stack: Option<String>,
    pub hint: Option<String>,
    /// When the same may be tried again, in milliseconds from now.
    pub retry_after_ms: Option<f64>,
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self {
            name: "DevRigError".to_owned(),
            code: error.code.as_str().to_owned(),
            retry_after_ms: error.retry_after_ms(),
            message: error.message,
            retryable: error.retryable,
            stack: None,
            hint: error.hint,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// Everything that a plugin can ask of the broker. Params and results are written beside each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HostMethod {
    /// `{url, method, headers: [[name, value]], body?: base64, timeoutMs?, redirect?}` →
    /// `{status, statusText, url, redirected, headers: [[name, value]], body: base64}`
    #[serde(rename = "http.fetch")]
    HttpFetch,
    /// `{name}` → a placeholder text
    #[serde(rename = "secrets.ref")]
    SecretRef,
    /// `{name}` → the value, or null; needs `secrets:reveal:<name>`
    #[serde(rename = "secrets.get")]
    SecretGet,
    /// `{user, password}`, both placeholders or texts → a placeholder of `Basic …`
    #[serde(rename = "secrets.basic")]
    SecretBasic,
    /// `{}` → names of this account's secrets
    #[serde(rename = "secrets.list")]
    SecretList,
    /// `{key}` → the value, or null
    #[serde(rename = "storage.get")]
    StorageGet,
    /// `{key, value}` → null
    #[serde(rename = "storage.set")]
    StorageSet,
    /// `{key}` → null
    #[serde(rename = "storage.delete")]
    StorageDelete,
    /// `{prefix?}` → keys
    #[serde(rename = "storage.list")]
    StorageList,
    /// `{items: InboxItemInput[]}` → `{created, updated}`; only within a sync
    #[serde(rename = "inbox.storeItems")]
    StoreItems,
    /// `InboxQuery` → `InboxItem[]`
    #[serde(rename = "inbox.queryItems")]
    QueryItems,
    /// `{externalIds}` → null
    #[serde(rename = "inbox.markRead")]
    MarkRead,
    /// `{externalIds}` → null
    #[serde(rename = "inbox.archive")]
    Archive,
    /// `{current, total?, message?}` → null
    #[serde(rename = "sync.progress")]
    SyncProgress,
    /// `{topic, data}` → null; own namespace only
    #[serde(rename = "events.emit")]
    EventEmit,
    /// `{topic}` → null
    #[serde(rename = "events.subscribe")]
    EventSubscribe,
    /// `{trigger, payload, id?}` → `{flows}`, when each of these has the event on disk
    #[serde(rename = "triggers.fire")]
    TriggerFire,
    /// `{title, body}` → null; needs `notifications`
    #[serde(rename = "notify")]
    Notify,
    /// `{folder, depth?}` → `{repositories: string[]}`; needs `git:read:<folder>`
    #[serde(rename = "git.discover")]
    GitDiscover,
    /// `{repository}` → the repository's state (see the SDK's `GitState`)
    #[serde(rename = "git.state")]
    GitState,
    /// `{repository, remote?}` → null; needs `git:fetch:<folder>`
    #[serde(rename = "git.fetch")]
    GitFetch,
    /// `{path}` → null; opens a granted folder in the file manager, on a person's action only
    #[serde(rename = "desktop.openFolder")]
    OpenFolder,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_documented_shape() {
        let call = ToWorker::Call {
            id: 7,
            handler: Handler::Sync { source: "git.repositories".into() },
            input: Value::Null,
        };
        assert_eq!(
            serde_json::to_value(&call).unwrap(),
            serde_json::json!({
                "type": "call", "id": 7, "input": null,
                "handler": {"kind": "sync", "source": "git.repositories"},
            })
        );
        let host = r#"{"type":"host","id":1,"call":7,"method":"http.fetch","params":{}}"#;
        assert!(matches!(
            serde_json::from_str(host).unwrap(),
            FromWorker::Host { method: HostMethod::HttpFetch, .. }
        ));
    }
}
