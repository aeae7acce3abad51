//! What a run remembers from its journal when it goes on after a restart, or begins anew with what
//! another one did.

use std::collections::HashMap;
use std::sync::Arc;

use devrig_core::Timestamp;
use serde_json::Value;

use super::{End, Entry};

/// Nodes by their paths.
#[derive(Debug, Default)]
pub struct Memory {
    nodes: HashMap<String, Past>,
    /// The item of the loop around, in a run of one node alone.
    pub item: Option<Value>,
}

/// What is known of a node that has not ended, or how it has.
#[derive(Debug, Clone, Default)]
pub struct Past {
    pub end: Option<Arc<End>>,
    /// An effect was about to happen, and nothing says that it did.
    pub in_doubt: bool,
    /// Attempts that failed, and when the next one is due.
    pub attempts: u32,
    pub due: Option<Timestamp>,
    /// When it was first tried.
    pub at: Option<u64>,
    pub wait: Option<Wait>,
}

/// What a node waits for.
#[derive(Debug, Clone)]
pub struct Wait {
    pub until: Option<Timestamp>,
}

impl Memory {
    /// From a journal, oldest entry first.
    pub fn of(entries: Vec<Entry>) -> Self {
        let mut memory = Self::default();
        entries.into_iter().for_each(|entry| memory.learn(entry));
        memory
    }

    fn learn(&mut self, entry: Entry) {
        match entry {
            Entry::Begun { node, at, .. } => {
                let past = self.nodes.entry(node).or_default();
                past.in_doubt = true;
                past.at.get_or_insert(at);
            }
            Entry::Redo { node } => self.nodes.entry(node).or_default().in_doubt = false,
            Entry::Again { node, at, due, .. } => {
                let past = self.nodes.entry(node).or_default();
                past.in_doubt = false;
                past.attempts += 1;
                past.due = Some(due);
                past.at.get_or_insert(at);
            }
            Entry::Waits { node, at, until } => {
                let past = self.nodes.entry(node).or_default();
                past.wait = Some(Wait { until });
                past.at.get_or_insert(at);
            }
            Entry::Only { item, .. } => self.item = item,
            Entry::Said { .. } => {}
            Entry::Ended(end) => {
                let past = self.nodes.entry(end.node.clone()).or_default();
                past.in_doubt = false;
                past.end = Some(end);
            }
        }
    }

    /// The nodes whose effect may have happened or not, by their paths.
    pub fn in_doubt(&self) -> Vec<String> {
        let doubtful = self.nodes.iter().filter(|(_, past)| past.in_doubt && past.end.is_none());
        let mut paths: Vec<_> = doubtful.map(|(path, _)| path.clone()).collect();
        paths.sort_unstable();
        paths
    }

    /// What is known of the node at `path`.
    pub fn past(&self, path: &str) -> Option<&Past> {
        self.nodes.get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(node: &str) -> Entry {
        Entry::Begun { node: node.into(), at: 5, input: None, kept: None }
    }

    #[test]
    fn an_effect_without_an_end_is_in_doubt() {
        let again = Entry::Again {
            node: "b".into(),
            at: 7,
            error: devrig_core::Error::invalid("no"),
            due: Timestamp::from_ms(90),
        };
        let ended = Entry::Ended(Arc::new(End { node: "c".into(), ..End::default() }));
        let memory = Memory::of(vec![begun("a"), begun("b"), again, begun("c"), ended, begun("d")]);
        let doubt = |node| memory.past(node).map(|past| past.in_doubt);
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(doubt),
            [Some(true), Some(false), Some(false), Some(true), None]
        );
        let b = memory.past("b").unwrap();
        assert_eq!((b.attempts, b.due, b.at), (1, Some(Timestamp::from_ms(90)), Some(5)));
        assert!(memory.past("c").unwrap().end.is_some());
    }
}
