//! Which large values an expression reads, and what of them is in memory for it.

use devrig_core::{Context as _, Result};
use devrig_expr::{Condition, Reference};
use devrig_store::Store;
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Frame, Output, Walker};
use crate::actions::code;
use crate::payloads::{self, Held};

/// What expressions read of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What the trigger told.
    payload: bool,
    all_nodes: bool,
    /// The nodes whose outputs are read, each with a path into it.
    outputs: Vec<(String, Vec<String>)>,
    /// Code, which names nodes in its own way.
    code: Vec<String>,
}

impl Seen {
    /// What these references name.
    pub fn of(references: &[Reference]) -> Self {
        let mut seen = Self::default();
        for reference in references {
            let steps: Vec<&str> = reference.path.steps().iter().map(|it| it.name()).collect();
            seen.add(&steps);
        }
        seen
    }

    /// What a condition reads. One that asks others may be about the item that the trigger tells of.
    pub fn of_condition(condition: &Condition) -> Self {
        let mut seen = Self::of(&condition.references());
        seen.payload |= !condition.dependencies().is_empty();
        seen
    }

    fn add(&mut self, steps: &[&str]) {
        match steps {
            [] => (self.payload, self.all_nodes) = (true, true),
            ["nodes"] => self.all_nodes = true,
            ["nodes", node] => self.outputs.push(((*node).to_owned(), Vec::new())),
            ["nodes", node, "output", path @ ..] => {
                let path = path.iter().map(|step| (*step).to_owned()).collect();
                self.outputs.push(((*node).to_owned(), path));
            }
            ["trigger"] | ["trigger", "payload", ..] => self.payload = true,
            _ => {}
        }
    }

    /// The same with what code names.
    #[must_use]
    pub fn with_code(self, code: Vec<String>) -> Self {
        Self { code, ..self }
    }

    /// Whether code reads it, and not expressions alone.
    pub fn sees_code(&self) -> bool {
        !self.code.is_empty()
    }

    fn sees_payload(&self) -> bool {
        self.payload || self.code.iter().any(|code| code.contains("trigger"))
    }

    /// The paths that are read in the output of a node; none where it is not read.
    fn paths(&self, node: &str) -> Vec<&[String]> {
        let reads = |code: &str| code.contains("nodes") && code::may_name(code)(node);
        if self.all_nodes || self.code.iter().any(|code| reads(code)) {
            return vec![&[]];
        }
        let of_node = self.outputs.iter().filter(|(name, _)| name == node);
        of_node.map(|(_, path)| path.as_slice()).collect()
    }
}

/// Large values that are in memory for one evaluation.
#[derive(Debug, Default)]
pub struct Loaded {
    /// `trigger`, where what it told is large and read.
    trigger: Option<Value>,
    /// Outputs, by the paths of their nodes.
    outputs: Vec<(String, Value)>,
    room: Option<Held>,
}

impl Loaded {
    /// `trigger`, if it was loaded.
    pub fn trigger(&self) -> Option<&Value> {
        self.trigger.as_ref()
    }

    /// The output of the node at `path`, if it was loaded.
    pub fn output(&self, path: &str) -> Option<&Value> {
        let found = self.outputs.iter().find(|(name, _)| name == path);
        found.map(|(_, value)| value)
    }

    /// Lets the values go and keeps the room for what is made of them.
    pub fn empty(&mut self) {
        self.trigger = None;
        self.outputs.clear();
    }
}

impl Walker<'_> {
    /// Loads the large values that expressions in this frame read, when there is room for them and
    /// for `more` bytes, which nobody may know.
    ///
    /// # Errors
    /// `TOO_LARGE` when they are too large together, what reading meets.
    pub async fn load(
        &self,
        frame: &Frame<'_>,
        seen: impl FnOnce() -> Seen,
        more: Option<u64>,
    ) -> Result<Loaded> {
        if more == Some(0) && self.trigger.stored().is_none() && !frame.has_stored() {
            return Ok(Loaded::default());
        }
        // Apart, so that a run without large values has no room for all that in its futures.
        Box::pin(self.load_stored(frame, seen(), more)).await
    }

    async fn load_stored(
        &self,
        frame: &Frame<'_>,
        seen: Seen,
        more: Option<u64>,
    ) -> Result<Loaded> {
        let more = more.unwrap_or_else(payloads::guess);
        let mut loaded = Loaded::default();
        let payload = self.trigger.stored().filter(|_| seen.sees_payload());
        let mut size = payload.map_or(0, |payload| payload.size);
        let mut outputs = Vec::new();
        for (node, end) in frame.stored() {
            let (Some(kept), paths) = (&end.kept, seen.paths(node)) else { continue };
            if paths.is_empty() {
                continue;
            }
            let wanted = kept.narrowed(&paths);
            size += wanted.stored();
            if size > payloads::MOST {
                return Err(payloads::too_large(size)).context(format!("reading nodes.{node}"));
            }
            outputs.push((node, end, wanted));
        }
        if size + more > 0 {
            loaded.room = Some(payloads::room(size + more).await);
        }
        if payload.is_some() {
            loaded.trigger = Some(self.trigger.whole(&self.store).await?);
        }
        for (node, end, wanted) in outputs {
            let value = whole(&self.store, &wanted).await;
            let value = value.context(format!("reading nodes.{node}"))?;
            loaded.outputs.push((end.node.clone(), value));
        }
        Ok(loaded)
    }
}

/// The whole value of an output.
///
/// # Errors
/// `NOT_FOUND` for what was deleted; `TOO_LARGE` when it is more than may be in memory.
pub async fn whole(store: &Store, output: &Output) -> Result<Value> {
    if let Output::Here(value) = output {
        return Ok(value.clone());
    }
    match output.stored() {
        size if size > payloads::MOST => Err(payloads::too_large(size)),
        _ => put_together(store, output).await,
    }
}

fn put_together<'a>(store: &'a Store, output: &'a Output) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        match output {
            Output::Here(value) => Ok(value.clone()),
            Output::Stored(stored) | Output::Spread(_, stored) => {
                payloads::read(store, stored).await
            }
            Output::List(parts) => {
                let mut list = Vec::with_capacity(parts.len());
                for part in parts {
                    match (part, put_together(store, part).await?) {
                        (Output::Spread(..), Value::Array(elements)) => list.extend(elements),
                        (_, value) => list.push(value),
                    }
                }
                Ok(Value::Array(list))
            }
            Output::Fields(fields) => {
                let mut object = Map::with_capacity(fields.len());
                for (name, field) in fields {
                    object.insert(name.clone(), put_together(store, field).await?);
                }
                Ok(Value::Object(object))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use devrig_expr::Config;
    use devrig_expr::template::Options;
    use serde_json::json;

    use super::*;

    fn seen(template: &str) -> Seen {
        let config = Config::compile(&json!({ "a": template }), Options::default()).unwrap();
        Seen::of(&config.references())
    }

    #[test]
    fn only_what_is_read_is_loaded() {
        for (template, payload, big) in [
            ("{{nodes.big.output.text}}", false, Some("text")),
            ("{{nodes.big.output}} {{trigger.id}}", false, Some("")),
            ("{{nodes.big.status}} {{nodes.other.output}}", false, None),
            ("{{nodes.big.output.[3].a}}{{trigger.payload.x}}", true, Some("3.a")),
            ("{{#each nodes}}{{output}}{{/each}}", false, Some("")),
            ("{{json trigger}}", true, None),
            ("{{json this}}", true, Some("")),
            ("{{lookup nodes \"big\"}}", false, Some("")),
        ] {
            let seen = seen(template);
            let paths = seen.paths("big");
            let path = paths.first().map(|path| path.join("."));
            assert_eq!((seen.sees_payload(), path.as_deref()), (payload, big), "{template}");
        }
    }

    #[test]
    fn code_names_nodes_in_its_own_way() {
        let sees = |code: &str| {
            let seen = Seen::default().with_code(vec![code.to_owned()]);
            (seen.sees_payload(), !seen.paths("big").is_empty())
        };
        assert_eq!(sees("return nodes.big.output"), (false, true));
        assert_eq!(sees("return nodes.other.output"), (false, false));
        assert_eq!(sees("return nodes[x]"), (false, true));
        assert_eq!(sees("return trigger.payload"), (true, false));
        assert_eq!(sees("const big = 1"), (false, false));
    }
}
