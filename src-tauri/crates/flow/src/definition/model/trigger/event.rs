//! A trigger that fires when a run of a flow has ended.

use serde_json::Value;

use crate::definition::model::{FlowId, id};
use crate::definition::wire::{Object, Writer, words};

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event {
    pub source: SourceFlow,
    pub event: RunEvent,
    /// A condition (in the condition language) on what the run gave.
    pub filter: Option<Value>,
}

/// Whose runs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SourceFlow {
    /// Those of every flow but this one.
    #[default]
    Any,
    /// Those of one flow.
    Flow(FlowId),
}

words! {
    /// How the run ended.
    RunEvent {
        Completed = "completed",
        Failed = "failed",
        Any = "any",
    }
}

const ANY: &str = "*";

impl Event {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            source: object.required("sourceFlowId", |at| match at.value.as_str() {
                Some(ANY) => SourceFlow::Any,
                _ => SourceFlow::Flow(id::read(at)),
            }),
            event: object.required("event", |at| at.word()),
            filter: object.optional("filter", |at| Value::Object(at.map())),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        match &self.source {
            SourceFlow::Any => into.put("sourceFlowId", ANY),
            SourceFlow::Flow(id) => into.put("sourceFlowId", id),
        }
        into.put("event", self.event);
        into.some("filter", &self.filter);
    }
}
