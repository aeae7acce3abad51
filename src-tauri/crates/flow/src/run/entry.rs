//! What the journal of a run says: enough to go on after a crash, and to show what happened.

use std::sync::Arc;

use devrig_core::{Error, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Output, RunKind};
use crate::action::Level;

/// How a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    #[default]
    Completed,
    Failed,
    /// Failed, and the run goes on as if it had not been there.
    Skipped,
    /// Switched off in the definition.
    Disabled,
    /// No way led to it.
    Dead,
    Cancelled,
}

impl NodeStatus {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Disabled => "disabled",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One entry. The names are short because there are millions of them; what is usual is left out.
/// `t` is in milliseconds after the start of the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Entry {
    /// A node is about to have an effect. Without an end after it, nobody knows whether it had.
    #[serde(rename = "begin")]
    Begun {
        #[serde(rename = "n")]
        node: String,
        #[serde(rename = "t")]
        at: u64,
        #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
        input: Option<Value>,
        /// The input, where it is stored.
        #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
        kept: Option<Output>,
    },
    /// The run is one of this node alone: what ended before it was given.
    #[serde(rename = "only")]
    Only {
        #[serde(rename = "n")]
        node: String,
        /// What is the item of the loop around it.
        #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
        item: Option<Value>,
    },
    /// The person said that the effect which was in doubt is to be done again.
    #[serde(rename = "redo")]
    Redo {
        #[serde(rename = "n")]
        node: String,
    },
    /// An attempt failed, and another one follows at a time.
    #[serde(rename = "again")]
    Again {
        #[serde(rename = "n")]
        node: String,
        #[serde(rename = "t")]
        at: u64,
        #[serde(rename = "e")]
        error: Error,
        #[serde(rename = "d")]
        due: Timestamp,
    },
    /// A node waits: until a time, for an answer, or both.
    #[serde(rename = "wait")]
    Waits {
        #[serde(rename = "n")]
        node: String,
        #[serde(rename = "t")]
        at: u64,
        #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// An action, or the run itself, has something to tell.
    #[serde(rename = "log")]
    Said {
        #[serde(rename = "t")]
        at: u64,
        #[serde(rename = "l")]
        level: Level,
        #[serde(rename = "m")]
        message: String,
    },
    #[serde(rename = "end")]
    Ended(Arc<End>),
}

/// The end of a node.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct End {
    /// The node's path: its id, after those of the loops around it with their rounds.
    #[serde(rename = "n")]
    pub node: String,
    #[serde(rename = "s", default, skip_serializing_if = "is_usual")]
    pub status: NodeStatus,
    /// When its first attempt began, and how many milliseconds later it ended.
    #[serde(rename = "t", default, skip_serializing_if = "is_usual")]
    pub at: u64,
    #[serde(rename = "ms", default, skip_serializing_if = "is_usual")]
    pub took: u64,
    #[serde(rename = "a", default = "one", skip_serializing_if = "is_one")]
    pub attempts: u32,
    #[serde(rename = "o", default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// The output, where parts of it are stored; then `output` is null.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Output>,
    /// The port that was chosen, where it is not `out`.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Ways out that a condition of their own closed, by their numbers.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<usize>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// The node that a run is of, where it is of one alone.
pub fn only(kind: RunKind, entries: &[Entry]) -> Option<&str> {
    let of = |entry: &'_ Entry| matches!(entry, Entry::Only { .. });
    match entries.iter().find(|entry| kind == RunKind::Node && of(entry)) {
        Some(Entry::Only { node, .. }) => Some(node),
        _ => None,
    }
}

impl Entry {
    /// The payloads that it points to.
    pub fn hashes(&self) -> Vec<String> {
        let kept = match self {
            Self::Begun { kept, .. } => kept.as_ref(),
            Self::Ended(end) => end.kept.as_ref(),
            _ => None,
        };
        kept.map(Output::hashes).unwrap_or_default()
    }
}

impl End {
    /// What the node gave.
    pub fn given(&self) -> Output {
        self.kept.clone().unwrap_or_else(|| Output::Here(self.output.clone()))
    }

    /// Whether nothing handled its failure.
    pub fn stopped_the_run(&self) -> bool {
        self.status == NodeStatus::Failed && self.port.is_none()
    }
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(attempts: &u32) -> bool {
    *attempts == 1
}
