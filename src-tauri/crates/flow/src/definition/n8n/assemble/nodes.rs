//! What every node of n8n has, whatever its type.

use devrig_core::Category;

use crate::definition::model::{
    ErrorHandling, LONGEST_MS, Node, NodeKind, Position, RetryPolicy, RetryStrategy,
};
use crate::definition::n8n::report::Report;
use crate::definition::n8n::workflow::Step;
pub(super) use crate::definition::n8n::workflow::text;

pub(super) fn is_disabled(step: &Step) -> bool {
    flag(step, "disabled")
}

fn flag(step: &Step, name: &str) -> bool {
    step.node.get(name).and_then(serde_json::Value::as_bool).unwrap_or_default()
}

fn number(step: &Step, name: &str) -> Option<u64> {
    step.node.get(name).and_then(serde_json::Value::as_u64)
}

pub(super) fn position(step: &Step) -> Option<Position> {
    let place = step.node.get("position")?.as_array()?;
    Some(Position { x: place.first()?.as_f64()?, y: place.get(1)?.as_f64()? })
}

pub(super) fn with_settings(step: &Step, kind: NodeKind, report: &mut Report) -> Node {
    let mut node = Node::new(step.id.clone(), kind);
    node.name = (step.name != step.id.as_str()).then(|| step.name.clone());
    node.position = position(step);
    node.disabled = is_disabled(step);
    node.retry_policy = retry(step);
    let skips =
        text(&step.node, "onError") == "continueRegularOutput" || flag(step, "continueOnFail");
    node.on_error = skips.then_some(ErrorHandling::Skip);
    if !text(&step.node, "notes").trim().is_empty() {
        let what = "its notes were left out: put them into a note";
        report.changed(format!("node \"{}\"", step.name), what);
    }
    node
}

/// There, whatever the error was.
fn retry(step: &Step) -> Option<RetryPolicy> {
    if !flag(step, "retryOnFail") {
        return None;
    }
    let delay = number(step, "waitBetweenTries").unwrap_or(1_000).min(LONGEST_MS);
    Some(RetryPolicy {
        max_attempts: number(step, "maxTries").unwrap_or(3).clamp(1, 100) as u32,
        strategy: RetryStrategy::Fixed,
        base_delay_ms: delay,
        max_delay_ms: delay,
        jitter: false,
        retry_on: vec![
            Category::Transient,
            Category::Resource,
            Category::Timeout,
            Category::Plugin,
            Category::Permanent,
        ],
    })
}
