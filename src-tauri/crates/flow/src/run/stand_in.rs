//! A walk that touches nothing: what nodes would do outside is given instead.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::Result;

use super::node::Went;
use super::walk::Stop;
use super::{End, Walker};
use crate::action::{Control, Does, Effect};
use crate::program::{Node, Work};

/// How nodes ended before, or are told to end.
#[derive(Default)]
pub struct StandIn {
    /// By paths, or by ids where every round has the same.
    ends: HashMap<String, Arc<End>>,
    /// What plugins say, by the names of their conditions.
    answers: BTreeMap<String, bool>,
    /// Nodes that nothing stood in for.
    missing: Mutex<Vec<String>>,
    /// Conditions of plugins that nothing stood in for.
    unasked: Mutex<Vec<String>>,
    /// Whether it stands in for nodes that only compute, too.
    whole: bool,
}

impl StandIn {
    pub fn new(ends: HashMap<String, Arc<End>>) -> Self {
        Self { ends, ..Self::default() }
    }

    /// One that stands in for nodes that only compute, too, and for plugins that are asked.
    pub fn of_all(ends: HashMap<String, Arc<End>>, answers: BTreeMap<String, bool>) -> Self {
        Self { ends, answers, whole: true, ..Self::default() }
    }

    /// What a plugin says, where something stands in for it.
    pub fn answer(&self, plugin: &str, condition: &str) -> Option<bool> {
        let answer = self.answers.get(condition).copied();
        if answer.is_none() {
            let mut unasked = self.unasked.lock().unwrap_or_else(PoisonError::into_inner);
            unasked.push(format!("the condition {condition} of {plugin}"));
        }
        answer
    }

    /// The conditions of plugins that nothing stood in for.
    pub fn unasked(&self) -> Vec<String> {
        self.unasked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The nodes that touch the world and that nothing stood in for.
    pub fn missing(&self) -> Vec<String> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn end(&self, path: &str) -> Option<&Arc<End>> {
        self.ends.get(path).or_else(|| self.ends.get(leaf(path)))
    }

    fn give(&self, path: &str) -> Result<Went> {
        let Some(end) = self.end(path) else {
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
            return Ok(Went::Stopped(Stop::InDoubt { path: path.to_owned(), error: None }));
        };
        match &end.error {
            Some(error) => Err(error.clone()),
            None => Ok(Went::Through(end.given(), end.port.clone())),
        }
    }
}

impl Walker<'_> {
    /// What stands in for a node, where something must.
    pub(super) fn stand_in(&self, node: &Node, path: &str) -> Option<Result<Went>> {
        let stand_in = self.stand_in?;
        let must = match (reach(node), stand_in.whole) {
            (Reach::Outside, _) => true,
            (_, true) => stand_in.end(path).is_some(),
            (Reach::Time, false) => stand_in.end(path).is_some(),
            (Reach::Nothing, false) => false,
        };
        if must {
            return Some(stand_in.give(path));
        }
        // Nobody waits in a walk that touches nothing.
        let waits = matches!(reach(node), Reach::Time);
        waits.then(|| Ok(Went::on()))
    }
}

enum Reach {
    /// It computes.
    Nothing,
    /// It lets time pass.
    Time,
    Outside,
}

fn reach(node: &Node) -> Reach {
    let Work::Action(step) = &node.work else { return Reach::Nothing };
    match &step.action.does {
        Does::Control(Control::Delay) => Reach::Time,
        Does::Control(Control::Wait | Control::Subflow) => Reach::Outside,
        Does::Work(_) if step.action.about.effect != Effect::Pure => Reach::Outside,
        _ => Reach::Nothing,
    }
}

/// The id of the node that a path leads to.
pub fn leaf(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
