//! What the checks have to ask others, who know the languages, the actions and what is installed.

use serde_json::Value;

use crate::definition::model::{Call, Cron, FlowId, PluginTrigger};

/// The world around a definition.
pub trait Outside {
    /// What a text with `{{…}}` in it refers to, and what is wrong with it. A text without is a
    /// plain text, which has neither.
    fn template(&self, text: &str) -> Findings;

    /// The same for a condition in the condition language.
    fn condition(&self, condition: &Value) -> Findings;

    /// What is known of the action that a node calls, its config judged; None when there is no
    /// such action. Templates in the config stand for values of any type.
    fn action(&self, call: &Call) -> Option<ActionShape>;

    /// What is known of a trigger that a plugin brings, its config judged; None when there is no
    /// such trigger.
    fn trigger(&self, trigger: &PluginTrigger) -> Option<TriggerShape>;

    /// Whether a plugin is installed.
    fn has_plugin(&self, id: &str) -> bool;

    /// Whether a secret of this name is stored for flows.
    fn has_secret(&self, name: &str) -> bool;

    /// Whether there is a flow with this id.
    fn has_flow(&self, id: &FlowId) -> bool;

    /// What is wrong with a schedule: its expression, its time zone, or that it never comes.
    fn cron(&self, cron: &Cron) -> Option<Fault>;

    /// What is wrong with a query of the inbox.
    fn query(&self, query: &str) -> Option<Fault>;

    /// What is wrong with a glob.
    fn pattern(&self, glob: &str) -> Option<Fault>;

    /// What is wrong with a JSON Schema.
    fn schema(&self, schema: &Value) -> Option<Fault>;
}

/// What an expression says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    pub references: Vec<Reference>,
    pub faults: Vec<Fault>,
    /// Plugins that it asks and that are not here.
    pub missing: Vec<Fault>,
}

/// A path that begins at a root of the context, such as `nodes.fetch.output.items`. What stands
/// for a part of a list or object (`this`, the fields inside of `#each`) is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The names of the path, as far as they are fixed: `lookup nodes x` refers to `nodes`.
    pub path: Vec<String>,
    /// Where in the value that was asked about, as a JSON path without `$`: `.left.path`.
    pub at: String,
}

/// One thing that is wrong with what was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// As [`Reference::at`].
    pub at: String,
    pub message: String,
    pub hint: String,
}

/// What the checks need to know of an action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionShape {
    /// The ports that it may choose. Every action has `error` besides.
    pub ports: Vec<String>,
    /// Which port it chooses is known only when it runs.
    pub any_port: bool,
    /// Whether it runs the body that its node has, and needs one.
    pub takes_body: bool,
    /// Fields of the config whose texts are no templates, such as the code of `code.js`.
    pub raw: Vec<String>,
    /// Fields of the config that hold a condition.
    pub conditions: Vec<String>,
    /// What is wrong with the config.
    pub faults: Vec<Fault>,
    /// What is wrong with the account that is named, or with naming none.
    pub account: Option<Fault>,
    /// Why its plugin does nothing at present.
    pub asleep: Option<Fault>,
    /// Whether an action of a plugin changes something.
    pub writes: bool,
}

/// What the checks need to know of a trigger that a plugin brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TriggerShape {
    /// What is wrong with the config.
    pub faults: Vec<Fault>,
    /// What is wrong with the account that is named, or with naming none.
    pub account: Option<Fault>,
    /// Whether it is asked at an interval.
    pub is_polled: bool,
    /// Why its plugin does nothing at present.
    pub asleep: Option<Fault>,
}
