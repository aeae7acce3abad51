//! Where the data lies that an n8n node calls `$json`: the output of the last node that made any.

use std::collections::BTreeSet;

use super::expression::Root;
use super::loops::{Loops, outputs};
use super::path::{Part, Path};
use super::workflow::{Step, Wire, Workflow, text};

/// What part a step has in the flow of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Trigger,
    Note,
    /// Passes on what it got.
    Pass,
    Loop,
    /// Makes data of its own.
    Work,
}

pub(super) fn role(step: &Step) -> Role {
    match step.kind.as_str() {
        "stickyNote" => Role::Note,
        "splitInBatches" => Role::Loop,
        "start" | "cron" | "interval" | "webhook" | "emailReadImap" => Role::Trigger,
        kind if kind.ends_with("Trigger") => Role::Trigger,
        "if" | "switch" | "filter" | "noOp" | "wait" | "respondToWebhook" | "stopAndError" => {
            Role::Pass
        }
        _ => Role::Work,
    }
}

/// The output for errors comes after all others.
fn is_for_errors(step: &Step, wire: &Wire) -> bool {
    let behind = role(step) == Role::Work && wire.output == 1;
    wire.error || (behind && text(&step.node, "onError") == "continueErrorOutput")
}

/// What came with the event that started the run.
pub(super) const PAYLOAD: &str = "trigger.payload";

/// Over how many nodes that only pass data on its origin is looked for.
const FARTHEST: usize = 100;

pub(super) struct Data<'a> {
    pub workflow: &'a Workflow,
    pub loops: &'a Loops,
}

impl Data<'_> {
    /// Where an expression of a step finds what it begins with.
    pub fn place_of(&self, step: usize, root: &Root) -> Option<Path> {
        match root {
            Root::Fixed(path) => Some(Path::of(path)),
            Root::Input => self.input_of(step),
            Root::Step(name) => self.output_from(self.workflow.find(name)?, step),
        }
    }

    /// What one step gives, as another finds it.
    pub fn output_from(&self, step: usize, reader: usize) -> Option<Path> {
        self.output_of(step, reader, &mut BTreeSet::new())
    }

    /// The data that comes into a step; None when it comes from several, or from none.
    pub fn input_of(&self, step: usize) -> Option<Path> {
        self.input_for(step, step, &mut BTreeSet::new())
    }

    /// True when what comes in is the answer to a request, of which the body is all.
    pub fn is_answer(&self, step: usize) -> bool {
        let wires = self.workflow.incoming(step);
        !wires.is_empty()
            && wires.iter().all(|wire| self.workflow.steps[wire.source].kind == "httpRequest")
    }

    /// `reader` is the step that asks, on whose place in a loop it depends what an item is.
    fn input_for(&self, step: usize, reader: usize, seen: &mut BTreeSet<usize>) -> Option<Path> {
        if !seen.insert(step) || seen.len() > FARTHEST {
            return None;
        }
        let mut found = None;
        let wires = self.workflow.incoming(step).iter();
        for wire in wires.filter(|wire| !self.loops.leads_back(wire)) {
            let source = &self.workflow.steps[wire.source];
            let item = role(source) == Role::Loop && wire.output == outputs(source).0;
            let path = if item && self.loops.has(wire.source) {
                self.item_of(wire.source, reader)?
            } else if is_for_errors(source, wire) {
                // There the error is a field of the data, here it stands beside the output.
                Path::of("nodes").then([Part::Name(source.id.to_string())])
            } else {
                self.output_of(wire.source, reader, seen)?
            };
            if found.get_or_insert_with(|| path.clone()) != &path {
                return None;
            }
        }
        found
    }

    /// Only the innermost loop's item has a name.
    fn item_of(&self, loop_step: usize, reader: usize) -> Option<Path> {
        (self.loops.around(reader) == Some(loop_step)).then(|| Path::of("loop.item"))
    }

    fn output_of(&self, step: usize, reader: usize, seen: &mut BTreeSet<usize>) -> Option<Path> {
        let made = &self.workflow.steps[step];
        match role(made) {
            Role::Trigger => Some(Path::of(PAYLOAD)),
            Role::Note => None,
            Role::Pass => self.input_for(step, reader, seen),
            Role::Loop if self.loops.is_inside(reader, step) => self.item_of(step, reader),
            Role::Loop | Role::Work => {
                let output = Path::of("nodes")
                    .then([Part::Name(made.id.to_string()), Part::Name("output".to_owned())]);
                // There the answer's body is all of the data.
                let body = made.kind == "httpRequest";
                Some(output.then(body.then(|| Part::Name("body".to_owned()))))
            }
        }
    }
}
