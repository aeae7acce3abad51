//! Random definitions for the property tests. A list of numbers decides every choice, so that a
//! failing case shrinks to few and small ones.

mod choices;
mod nodes;
mod triggers;
mod world;

use proptest::prelude::*;
use serde_json::Value;

use super::model::*;
pub(crate) use choices::Choices;
pub(crate) use world::World;

/// Definitions of a right form. What they mean may be wrong in any way: nodes with the same id,
/// edges to nowhere, cycles.
pub(crate) fn definitions() -> impl Strategy<Value = Definition> {
    choices().prop_map(|mut choices| definition(&mut choices))
}

/// JSON that was a definition before something in it was changed.
pub(crate) fn nearly_definitions() -> impl Strategy<Value = Value> {
    choices().prop_map(|mut choices| {
        let mut value = definition(&mut choices).to_value();
        for _ in 0..=choices.below(3) {
            choices.spoil(&mut value);
        }
        value
    })
}

/// Any JSON.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    choices().prop_map(|mut choices| choices.json(5))
}

fn choices() -> impl Strategy<Value = Choices> {
    prop::collection::vec(any::<u16>(), 0..400).prop_map(Choices::new)
}

fn definition(from: &mut Choices) -> Definition {
    Definition {
        id: FlowId::from(from.name()),
        name: from.line(),
        description: from.maybe(Choices::any_text).unwrap_or_default(),
        folder: from.maybe(|from| from.one(&["a", "work/reviews", "日報/x y"]).to_owned()),
        tags: from.list(3, Choices::line),
        triggers: from.list(4, triggers::trigger),
        entry_conditions: from.list(2, Choices::object),
        graph: nodes::graph(from, 2),
        settings: from.maybe(settings).unwrap_or_default(),
        error_flow_id: from.maybe(|from| FlowId::from(from.name())),
        variables: from.maybe(Choices::map).unwrap_or_default(),
    }
}

fn settings(from: &mut Choices) -> Settings {
    Settings {
        max_concurrent_runs: 1 + from.below(1_000) as u32,
        timeout_ms: 1 + u64::from(from.next()),
        retry_policy: from.maybe(nodes::retry_policy).unwrap_or_default(),
        error_handling: from.word(),
        execution_mode: from.word(),
        save_runs: from.word(),
        priority: from.below(21) as i8 - 10,
        circuit_breaker: from.maybe(|from| CircuitBreaker {
            failure_threshold: 1 + from.below(10) as u32,
            ..CircuitBreaker::default()
        }),
    }
}
