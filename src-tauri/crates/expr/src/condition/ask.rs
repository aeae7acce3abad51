//! What a condition cannot decide by itself: plugins' functions and inbox queries.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value_ref::ValueRef;
use crate::view::View;

/// Which of a condition's questions is meant; the same at every evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub(super) u32);

/// What only the outside can tell. Whoever answers holds the time limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub id: QuestionId,
    pub asked: Asked,
}

/// Secrets are masked in all that is handed out, and what is missing is null.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    Custom {
        plugin_id: String,
        /// The plugin's only account when absent.
        account_id: Option<String>,
        function: String,
        args: Vec<Value>,
    },
    /// Does the item match the inbox query? Without a `ref` in the condition, the item is the one
    /// that the evaluation is about, which the caller knows.
    Query { query: String, item: Option<Value> },
}

/// The answers given so far.
#[derive(Debug, Clone, Default)]
pub struct Answers(BTreeMap<QuestionId, bool>);

impl Answers {
    pub fn give(&mut self, id: QuestionId, answer: bool) {
        self.0.insert(id, answer);
    }

    pub(super) fn get(&self, id: QuestionId) -> Option<bool> {
        self.0.get(&id).copied()
    }
}

/// What a condition will need from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Where in the condition, such as `conditions[1]`.
    pub place: String,
    pub on: DependsOn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependsOn {
    Custom { plugin_id: String, account_id: Option<String>, function: String },
    Query { query: String },
}

/// A question before its values are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asks {
    Custom { plugin_id: String, account_id: Option<String>, function: String, args: Vec<ValueRef> },
    Query { query: String, subject: Option<ValueRef> },
}

impl Asks {
    pub fn read(&self, root: View<'_>) -> Asked {
        let read = |value: &ValueRef| value.read_public(root);
        match self {
            Self::Custom { plugin_id, account_id, function, args } => Asked::Custom {
                plugin_id: plugin_id.clone(),
                account_id: account_id.clone(),
                function: function.clone(),
                args: args.iter().map(read).collect(),
            },
            Self::Query { query, subject } => {
                Asked::Query { query: query.clone(), item: subject.as_ref().map(read) }
            }
        }
    }

    pub fn depends_on(&self) -> DependsOn {
        match self {
            Self::Custom { plugin_id, account_id, function, .. } => DependsOn::Custom {
                plugin_id: plugin_id.clone(),
                account_id: account_id.clone(),
                function: function.clone(),
            },
            Self::Query { query, .. } => DependsOn::Query { query: query.clone() },
        }
    }
}
