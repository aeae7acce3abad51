//! What of one run another one goes on with.

use std::collections::HashSet;
use std::sync::Arc;

use super::{End, Entry, Memory};
use crate::definition::{Definition, Edge, Graph, Node};

/// Which nodes of a run count for another one, by their ids in the flow's own graph: what happened in
/// a body counts with the node around it.
pub enum Keep {
    /// All, as the run has the same version.
    All,
    /// These, in a version that may be another one.
    Only(HashSet<String>),
}

impl Keep {
    /// What is the same in two versions: nodes that did not change, whose ways in did not, and that
    /// hold for everything before them too. Where variables changed, nothing is.
    pub fn unchanged(before: &Definition, after: &Definition) -> Self {
        if before.variables != after.variables {
            return Self::Only(HashSet::new());
        }
        let mut same: HashSet<String> = after
            .graph
            .nodes
            .iter()
            .filter(|node| is_same(node, &before.graph, &after.graph))
            .map(|node| node.id.to_string())
            .collect();
        // A node counts only while everything before it does.
        loop {
            let gone = |edge: &&Edge| {
                same.contains(edge.target.as_str()) && !same.contains(edge.source.as_str())
            };
            let gone: Vec<String> =
                after.graph.edges.iter().filter(gone).map(|edge| edge.target.to_string()).collect();
            if gone.is_empty() {
                return Self::Only(same);
            }
            same.retain(|id| !gone.contains(id));
        }
    }

    /// Everything but a node and what comes after it.
    pub fn all_but_from(definition: &Definition, node: &str) -> Self {
        let mut from = HashSet::from([node.to_owned()]);
        loop {
            let next: Vec<String> = definition
                .graph
                .edges
                .iter()
                .filter(|edge| from.contains(edge.source.as_str()))
                .map(|edge| edge.target.to_string())
                .filter(|id| !from.contains(id))
                .collect();
            if next.is_empty() {
                break;
            }
            from.extend(next);
        }
        let all = definition.graph.nodes.iter().map(|node| node.id.to_string());
        Self::Only(all.filter(|id| !from.contains(id)).collect())
    }

    /// Everything that another node was given.
    pub fn all_but(definition: &Definition, node: &str) -> Self {
        let all = definition.nodes().map(|node| node.id.to_string());
        Self::Only(all.filter(|id| id != node).collect())
    }

    /// Whether what is known of the node at `path` counts.
    pub fn holds(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(top(path)),
        }
    }
}

/// The node of the flow's own graph that a path lies in.
pub fn top(path: &str) -> &str {
    path.split(['#', '/']).next().unwrap_or_default()
}

fn is_same(node: &Node, before: &Graph, after: &Graph) -> bool {
    let ways = |graph: &Graph| {
        let mut ways: Vec<_> = graph
            .edges
            .iter()
            .filter(|edge| edge.target == node.id)
            .map(|edge| (edge.source.to_string(), edge.port.clone(), edge.condition.clone()))
            .collect();
        ways.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        ways
    };
    let other = before.nodes.iter().find(|other| other.id == node.id);
    other.is_some_and(|other| same_work(other, node)) && ways(before) == ways(after)
}

/// Where it stands, what it is called and what was pinned for trying it out make no difference.
pub fn same_work(one: &Node, other: &Node) -> bool {
    let plain = |node: &Node| Node { position: None, name: None, pin: None, ..node.clone() };
    plain(one) == plain(other)
}

/// The part of a journal that another run begins with: how nodes ended, but for what the run failed
/// at, and effects of which nobody knows whether they happened.
pub fn reusable(entries: Vec<Entry>, keep: &Keep) -> Vec<Entry> {
    let doubtful: HashSet<String> = Memory::of(entries.clone()).in_doubt().into_iter().collect();
    let same_version = matches!(keep, Keep::All);
    let kept = entries.into_iter().filter_map(|entry| match entry {
        Entry::Ended(end) if end.stopped_the_run() || !keep.holds(&end.node) => None,
        Entry::Ended(end) if same_version || end.closed.is_empty() => Some(Entry::Ended(end)),
        // Ways are told by their numbers, which are others in another version.
        Entry::Ended(end) => {
            Some(Entry::Ended(Arc::new(End { closed: Vec::new(), ..End::clone(&end) })))
        }
        Entry::Only { .. } => Some(entry),
        Entry::Begun { ref node, .. } if doubtful.contains(node) && keep.holds(node) => Some(entry),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition;
    use crate::run::NodeStatus;

    fn flow(nodes: Value, more: Value) -> Definition {
        let mut flow = json!({"id": "f", "name": "f", "nodes": nodes, "edges": [
            {"source": "a", "target": "b"}, {"source": "b", "target": "c"},
            {"source": "a", "target": "d"}]});
        for (name, value) in more.as_object().unwrap() {
            flow[name] = value.clone();
        }
        definition::read_value(flow).unwrap()
    }

    fn node(id: &str, n: i64) -> Value {
        json!({"id": id, "type": "action", "action": "data.set", "config": {"fields": {"n": n}}})
    }

    fn kept(keep: &Keep) -> Vec<&str> {
        ["a", "b", "c", "d"].into_iter().filter(|id| keep.holds(id)).collect()
    }

    #[test]
    fn a_node_that_changed_takes_what_comes_after_it_along() {
        let before =
            flow(json!([node("a", 1), node("b", 1), node("c", 1), node("d", 1)]), json!({}));
        assert_eq!(kept(&Keep::unchanged(&before, &before)), ["a", "b", "c", "d"]);
        let after =
            flow(json!([node("a", 1), node("b", 2), node("c", 1), node("d", 1)]), json!({}));
        assert_eq!(kept(&Keep::unchanged(&before, &after)), ["a", "d"]);
        let mut moved = node("b", 1);
        moved["position"] = json!({"x": 1, "y": 2});
        let after = flow(json!([node("a", 1), moved, node("c", 1), node("d", 1)]), json!({}));
        assert_eq!(kept(&Keep::unchanged(&before, &after)).len(), 4);
        let nodes = json!([node("a", 1), node("b", 1), node("c", 1), node("d", 1)]);
        let after = flow(nodes.clone(), json!({"edges": [{"source": "a", "target": "b"}]}));
        assert_eq!(
            kept(&Keep::unchanged(&before, &after)),
            ["a", "b"],
            "others begin by themselves"
        );
        let after = flow(nodes, json!({"variables": {"x": 1}}));
        assert!(kept(&Keep::unchanged(&before, &after)).is_empty());
        assert_eq!(kept(&Keep::all_but_from(&before, "b")), ["a", "d"]);
    }

    #[test]
    fn what_failed_is_dropped_and_what_is_in_doubt_stays_so() {
        let end = |node: &str, status| {
            Entry::Ended(Arc::new(End { node: node.into(), status, ..End::default() }))
        };
        let begun = |node: &str| Entry::Begun { node: node.into(), at: 0, input: None, kept: None };
        let entries = vec![
            end("a", NodeStatus::Completed),
            begun("b"),
            end("b", NodeStatus::Failed),
            begun("c"),
            end("each#0/x", NodeStatus::Completed),
            end("each#1/x", NodeStatus::Failed),
            end("each", NodeStatus::Failed),
        ];
        let memory = Memory::of(reusable(entries, &Keep::All));
        let ended = |path| memory.past(path).is_some_and(|past| past.end.is_some());
        assert_eq!(
            ["a", "b", "c", "each#0/x", "each#1/x", "each"].map(ended),
            [true, false, false, true, false, false]
        );
        assert_eq!(memory.in_doubt(), ["c"]);
    }
}
