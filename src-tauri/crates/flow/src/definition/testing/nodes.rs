//! Random graphs.

use devrig_core::Category;

use super::Choices;
use crate::definition::model::*;

pub(super) fn graph(from: &mut Choices, depth: usize) -> Graph {
    Graph { nodes: from.list(6, |from| node(from, depth)), edges: from.list(8, edge) }
}

fn edge(from: &mut Choices) -> Edge {
    let ports = [port::OUT, port::ERROR, port::TRUE, port::FALSE, port::ELSE, "urgent"];
    Edge {
        id: from.maybe(Choices::name),
        source: NodeId::from(from.name()),
        target: NodeId::from(from.name()),
        port: from.one(&ports).to_owned(),
        condition: from.maybe(Choices::object),
        label: from.maybe(Choices::line),
    }
}

fn node(from: &mut Choices, depth: usize) -> Node {
    Node {
        id: NodeId::from(from.name()),
        name: from.maybe(Choices::line),
        kind: kind(from, depth),
        position: from
            .maybe(|from| Position { x: f64::from(from.next()) / 8.0, y: -f64::from(from.next()) }),
        retry_policy: from.maybe(retry_policy),
        timeout_ms: from.maybe(|from| 1 + u64::from(from.next())),
        disabled: from.below(4) == 1,
        on_error: from.maybe(Choices::word),
        pin: from.maybe(|from| from.json(2)),
    }
}

fn kind(from: &mut Choices, depth: usize) -> NodeKind {
    match from.below(6) {
        0 | 1 => NodeKind::Action(call(from, depth)),
        2 => NodeKind::Ai(call(from, depth)),
        3 => NodeKind::Condition(branching(from)),
        4 => NodeKind::Junction(from.word()),
        _ => NodeKind::Note(from.any_text()),
    }
}

fn call(from: &mut Choices, depth: usize) -> Call {
    let actions = ["http.request", "flow.loop", "flow.fail", "flow.break", "code.js", "no.such"];
    let plugin_id = from.maybe(Choices::name);
    let account_id = plugin_id.as_ref().and_then(|_| from.maybe(Choices::name));
    Call {
        action: from.one(&actions).to_owned(),
        plugin_id,
        account_id,
        config: from.map(),
        body: if depth == 0 { None } else { from.maybe(|from| graph(from, depth - 1)) },
    }
}

fn branching(from: &mut Choices) -> Branching {
    let case = |from: &mut Choices| Case { port: from.name(), condition: from.object() };
    match from.list(3, case) {
        cases if cases.is_empty() => Branching::If(from.object()),
        cases => Branching::Cases(cases),
    }
}

pub(super) fn retry_policy(from: &mut Choices) -> RetryPolicy {
    let all = [Category::Permanent, Category::Plugin, Category::Timeout, Category::Resource];
    RetryPolicy {
        max_attempts: 1 + from.below(100) as u32,
        strategy: from.word(),
        base_delay_ms: u64::from(from.next()),
        max_delay_ms: u64::from(from.next()),
        jitter: from.flag(),
        retry_on: all[..from.below(5)].to_vec(),
    }
}
