//! What is told of a run that has ended, to flows that wait for that.

use devrig_core::Origin;
use serde_json::{Value, json};

use crate::definition::{Event, FlowId, RunEvent, SourceFlow};
use crate::run::{RunKind, RunRow, RunStatus};
use crate::table::run::FlowNames;

/// Whether a trigger of the flow `own` waits for the end of this run.
pub(super) fn concerns(event: &Event, own: &FlowId, run: &RunRow, of: &FlowNames) -> bool {
    let flow = match &event.source {
        SourceFlow::Any => of.id != own.as_str(),
        SourceFlow::Flow(id) => of.id == id.as_str(),
    };
    let how = match event.event {
        RunEvent::Completed => run.status == RunStatus::Completed,
        RunEvent::Failed => run.status == RunStatus::Failed,
        RunEvent::Any => run.status.has_ended(),
    };
    // One node that a person tries out is no end of its flow.
    flow && how && run.kind != RunKind::Node
}

/// Whether flows have set each other off too often for this to go on.
pub(super) fn is_too_deep(run: &RunRow) -> bool {
    run.depth >= Origin::MAX_DEPTH
}

/// Names this end of the run: one that is begun again may end again.
pub(super) fn key(run: &RunRow) -> String {
    format!("{}@{}", run.id, run.ended_at.map_or(0, devrig_core::Timestamp::as_ms))
}

/// What the flow that is started sees. The output is that of a run that completed.
pub(super) fn payload(run: &RunRow, of: &FlowNames, output: &Value) -> Value {
    json!({
        "event": run.status.as_str(),
        "flow": { "id": of.id, "name": of.name },
        "run": {
            "id": run.id, "kind": run.kind, "version": run.version, "queuedAt": run.queued_at,
            "startedAt": run.started_at, "endedAt": run.ended_at,
        },
        "output": output,
        "error": run.error,
    })
}

#[cfg(test)]
mod tests {
    use devrig_core::Timestamp;

    use super::*;

    fn run(status: RunStatus) -> RunRow {
        let at = Timestamp::from_ms(1_000);
        RunRow {
            seq: 1,
            id: "r".into(),
            flow: 1,
            version: 1,
            event: 1,
            kind: RunKind::Live,
            trigger_type: "manual".to_owned(),
            parent: None,
            detached: false,
            again: false,
            retry_of: None,
            status,
            priority: 0,
            depth: 0,
            queued_at: at,
            started_at: None,
            ended_at: Some(at),
            wake_at: None,
            error: None,
        }
    }

    #[test]
    fn the_flow_and_the_way_it_ended_decide() {
        let names = |id: &str| FlowNames { id: id.into(), name: String::new() };
        let asked = |source: &SourceFlow, event, flow: &str, status| {
            let event = Event { source: source.clone(), event, filter: None };
            concerns(&event, &FlowId::from("own".to_owned()), &run(status), &names(flow))
        };
        let (any, b) = (SourceFlow::Any, SourceFlow::Flow(FlowId::from("b".to_owned())));
        let own = SourceFlow::Flow(FlowId::from("own".to_owned()));
        use {RunEvent as E, RunStatus as S};
        for (source, event, flow, status, expected) in [
            (&any, E::Completed, "b", S::Completed, true),
            (&any, E::Completed, "own", S::Completed, false),
            (&any, E::Completed, "b", S::Failed, false),
            (&own, E::Completed, "own", S::Completed, true),
            (&b, E::Failed, "b", S::Failed, true),
            (&b, E::Failed, "c", S::Failed, false),
            (&b, E::Any, "b", S::Cancelled, true),
            (&b, E::Any, "b", S::Running, false),
            (&b, E::Any, "b", S::NeedsDecision, false),
        ] {
            assert_eq!(asked(source, event, flow, status), expected, "{event:?} {flow} {status:?}");
        }
        let event = Event { source: any, event: E::Any, filter: None };
        let of_one_node = RunRow { kind: RunKind::Node, ..run(S::Completed) };
        assert!(!concerns(&event, &FlowId::from("own".to_owned()), &of_one_node, &names("b")));
    }
}
