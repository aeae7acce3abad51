//! What is wrong with a definition, and where.

use devrig_core::{Code, Error};
use serde::{Deserialize, Serialize};

use super::model::{NodeId, TriggerId};

/// Whether a definition may be saved and run with it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot run as it is.
    Error,
    /// It runs, but probably not as it was meant.
    Warning,
}

/// Machine-readable name of a problem.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type,
)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// The text is not JSON.
    NotJson,
    /// More bytes, nodes, edges or levels than a flow may have.
    TooLarge,
    /// One object has the same name twice, so one of the two would be lost.
    DuplicateKey,
    /// Written by a newer DevRig.
    NewerSchema,
    UnknownField,
    MissingField,
    WrongType,
    WrongValue,
    /// A flow without a node that does anything.
    Empty,
    DuplicateId,
    /// An edge leads from or to a node that is not there.
    UnknownNode,
    /// An edge leads from a port that its node does not have.
    UnknownPort,
    SelfEdge,
    /// An edge leads into or out of a body.
    CrossingEdge,
    /// An edge leads from or to a note.
    NoteEdge,
    DuplicateEdge,
    Cycle,
    /// No way leads from the start to the node.
    Unreachable,
    /// Every way into a junction is dead, whatever a run does: it never goes on.
    JoinStarves,
    /// A condition node has a port from which nothing leads on.
    MissingPort,
    /// Two cases of a condition node have the same port.
    DuplicatePort,
    DisabledStart,
    /// Nothing starts the flow by itself.
    NoTrigger,
    Template,
    Condition,
    /// An expression names something that is not there.
    UnknownReference,
    /// An expression names a node that does not run before.
    NotUpstream,
    /// An expression names a node that is disabled.
    DisabledReference,
    UnknownAction,
    /// What an action is given does not fit its schema.
    Config,
    MissingBody,
    /// A body where the action has no use for one.
    UnusedBody,
    BreakOutsideLoop,
    /// Something that it needs was not allowed to the flow.
    NotAllowed,
    /// A plugin that is not here, or does nothing at present.
    UnknownPlugin,
    /// An account of a plugin that is not here.
    UnknownAccount,
    UnknownSecret,
    UnknownFlow,
    /// A flow that starts itself.
    SelfReference,
    Cron,
    Query,
    /// A glob that cannot be read.
    Pattern,
    /// A JSON Schema that is none.
    Schema,
    DuplicateWebhook,
    /// A retry policy that contradicts itself.
    RetryPolicy,
}

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "FlowProblem")]
pub struct Problem {
    pub severity: Severity,
    pub code: ProblemCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(type = Option<String>)]
    pub node: Option<NodeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(type = Option<String>)]
    pub trigger: Option<TriggerId>,
    /// The edge's id, or its two ends where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<String>,
    /// JSON path of the place, such as `$.nodes[2].config.url`.
    pub field: String,
    /// One sentence that names the thing.
    pub message: String,
    /// What to do about it, as an imperative sentence.
    pub hint: String,
}

impl Problem {
    /// A problem that belongs to no node, trigger or edge.
    pub fn error(
        code: ProblemCode,
        field: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            code,
            node: None,
            trigger: None,
            edge: None,
            field: field.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// The same, but the flow can run with it.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// True when the definition cannot run with it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Why a text is no definition: at least one problem, all of them errors, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    /// The errors of a list, where it has any: warnings keep nobody from saving.
    pub fn among(list: Vec<Problem>) -> Option<Self> {
        let errors: Vec<Problem> = list.into_iter().filter(Problem::is_error).collect();
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// The problems, never empty.
    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    pub(crate) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(first) = self.0.first() else { return f.write_str("no problem") };
        write!(f, "{first}")?;
        match self.0.len() - 1 {
            0 => Ok(()),
            1 => f.write_str(" (and one more problem)"),
            more => write!(f, " (and {more} more problems)"),
        }
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        let hint = problems.0.first().map(|first| first.hint.clone()).unwrap_or_default();
        let error = Error::new(Code::InvalidInput, problems.to_string()).hint(hint);
        error.details(serde_json::json!({ "problems": problems.0 }))
    }
}
