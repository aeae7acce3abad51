//! n8n repeats by leading an edge back to a "Loop Over Items" node. Where what is repeated can be
//! told from the rest, it becomes the body of a flow.loop.

use std::collections::BTreeSet;

use super::data::{Role, role};
use super::workflow::{Step, Wire, Workflow};

/// A loop node whose body could be told.
pub(super) struct Loop {
    pub step: usize,
    pub body: BTreeSet<usize>,
}

/// More loops than a workflow for people has; finding their bodies costs time for each.
const MOST: usize = 50;

/// The loops that can be mapped, the inner before the outer ones.
pub(super) struct Loops {
    pub list: Vec<Loop>,
}

/// The outputs of a loop node: for each item, and when all are done. They changed places.
pub(super) fn outputs(step: &Step) -> (usize, usize) {
    if step.version >= 3.0 { (1, 0) } else { (0, 1) }
}

impl Loops {
    pub fn of(workflow: &Workflow) -> Self {
        let steps =
            (0..workflow.steps.len()).filter(|step| role(&workflow.steps[*step]) == Role::Loop);
        let mut found: Vec<Loop> =
            steps.take(MOST).map(|step| Loop { step, body: reached(workflow, step) }).collect();
        found.sort_by_key(|found| found.body.len());
        let mut loops = Self { list: Vec::new() };
        for one in found {
            if loops.is_simple(workflow, &one) {
                loops.list.push(one);
            }
        }
        loops
    }

    /// The loop node whose body a step stands in, the innermost.
    pub fn around(&self, step: usize) -> Option<usize> {
        self.list.iter().find(|one| one.body.contains(&step)).map(|one| one.step)
    }

    /// Whether a step stands in the body of this loop node, however deep.
    pub fn is_inside(&self, step: usize, loop_step: usize) -> bool {
        self.list.iter().any(|one| one.step == loop_step && one.body.contains(&step))
    }

    pub fn has(&self, step: usize) -> bool {
        self.list.iter().any(|one| one.step == step)
    }

    /// True for an edge that only says "the next one", which a body needs no edge for.
    pub fn leads_back(&self, wire: &Wire) -> bool {
        self.list.iter().any(|one| one.step == wire.target && one.body.contains(&wire.source))
    }

    /// True for an edge from a loop node to the first nodes of its body.
    pub fn leads_in(&self, wire: &Wire) -> bool {
        self.list.iter().any(|one| one.step == wire.source && one.body.contains(&wire.target))
    }

    /// Nothing leads into the body but from its loop, the way back is there, and where it begins
    /// nothing else leads to.
    fn is_simple(&self, workflow: &Workflow, one: &Loop) -> bool {
        let (each, done) = outputs(&workflow.steps[one.step]);
        let from_loop = |wire: &&Wire| wire.source == one.step;
        let inside = |step: usize| one.body.contains(&step);
        let wires = || workflow.wires.iter().filter(|wire| !self.leads_back(wire));
        let begins: BTreeSet<usize> = wires()
            .filter(from_loop)
            .filter(|wire| wire.output == each)
            .map(|wire| wire.target)
            .collect();
        let comes_back = wires().any(|wire| wire.target == one.step && inside(wire.source));
        let into = wires().filter(|wire| inside(wire.target));
        let entered_well = into.clone().all(|wire| match wire.source == one.step {
            true => wire.output == each,
            false => inside(wire.source) && !begins.contains(&wire.target),
        });
        let done_outside = wires()
            .filter(from_loop)
            .filter(|wire| wire.output == done)
            .all(|wire| !inside(wire.target) && wire.target != one.step);
        let starts = one.body.iter().any(|step| role(&workflow.steps[*step]) == Role::Trigger);
        comes_back && entered_well && done_outside && !starts && !begins.contains(&one.step)
    }
}

/// What is reached from the output for each item without going through the loop node again.
fn reached(workflow: &Workflow, step: usize) -> BTreeSet<usize> {
    let (each, _) = outputs(&workflow.steps[step]);
    let first = workflow.outgoing(step).iter();
    let first = first.filter(|wire| wire.output == each).map(|wire| wire.target);
    let mut open: Vec<usize> = first.collect();
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        if next != step && found.insert(next) {
            open.extend(workflow.outgoing(next).iter().map(|wire| wire.target));
        }
    }
    found
}
