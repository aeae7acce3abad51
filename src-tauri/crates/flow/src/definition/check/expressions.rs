//! Every template and condition of a flow, each with what may be named there.

use serde_json::Value;

use super::ancestors::Ancestors;
use super::outside::Findings;
use super::references::{Scene, check_reference};
use super::scopes::Seat;
use super::view::View;
use crate::definition::model::{Branching, Call, NodeKind, PollingSource, Trigger, TriggerKind};
use crate::definition::problem::{Problem, ProblemCode};
use crate::definition::wire::Place;

pub(super) fn check(view: &View<'_>) {
    let expressions = Expressions { view, ancestors: Ancestors::new(&view.scopes) };
    for (index, condition) in view.definition.entry_conditions.iter().enumerate() {
        let path = format!("$.entryConditions[{index}]");
        let problem = |code, at: &str, message: String, hint: String| {
            Problem::error(code, format!("{path}{at}"), message, hint)
        };
        expressions.condition(condition, Scene::Entry, &problem);
    }
    for (index, trigger) in view.definition.triggers.iter().enumerate() {
        expressions.trigger((index, trigger));
    }
    for (seat, node) in view.scopes.nodes() {
        match &node.kind {
            NodeKind::Action(call) | NodeKind::Ai(call) => expressions.call(seat, call),
            NodeKind::Condition(branching) => expressions.branching(seat, branching),
            NodeKind::Junction(_) | NodeKind::Note(_) => {}
        }
    }
    expressions.edges();
}

/// Makes a problem out of its code, its place below the thing, its message and its hint.
type Make<'m> = dyn Fn(ProblemCode, &str, String, String) -> Problem + 'm;

struct Expressions<'a, 'b> {
    view: &'b View<'a>,
    ancestors: Ancestors<'a, 'b>,
}

impl Expressions<'_, '_> {
    fn trigger(&self, seat: (usize, &Trigger)) {
        let make = |code, at: &str, message: String, hint: String| {
            self.view.of_trigger(seat, code, at, message, hint)
        };
        let texts = |value: &Value, place: &Place<'_>| {
            self.texts(value, place, Scene::BeforeEvent, &make);
        };
        match &seat.1.kind {
            TriggerKind::Polling(polling) => match &polling.source {
                PollingSource::Http { .. } => {
                    let source = Value::Object(polling.source.to_map());
                    texts(&source, &Place::ROOT.field("source"));
                }
                PollingSource::Plugin { args, .. } => {
                    let source = Place::ROOT.field("source");
                    texts(&Value::Array(args.clone()), &source.field("args"));
                }
            },
            TriggerKind::Plugin(plugin) => {
                let config = Value::Object(plugin.config.clone());
                texts(&config, &Place::ROOT.field("config"));
            }
            TriggerKind::Event(event) => {
                if let Some(filter) = &event.filter {
                    let make = |code, at: &str, message, hint| {
                        make(code, &format!(".filter{at}"), message, hint)
                    };
                    self.condition(filter, Scene::Entry, &make);
                }
            }
            _ => {}
        }
    }

    fn call(&self, seat: Seat, call: &Call) {
        let shape = self.view.shape(seat);
        let listed = |list: fn(&super::ActionShape) -> &Vec<String>, name: &String| {
            shape.is_some_and(|shape| list(shape).contains(name))
        };
        let config = Place::ROOT.field("config");
        for (name, value) in &call.config {
            let place = config.field(name);
            if listed(|shape| &shape.raw, name) {
                continue;
            }
            if listed(|shape| &shape.conditions, name) {
                self.node_condition(seat, value, &place);
            } else {
                self.texts(value, &place, Scene::Node(seat), &|code, at, message, hint| {
                    self.view.of_node(seat, code, at, message, hint)
                });
            }
        }
    }

    fn branching(&self, seat: Seat, branching: &Branching) {
        let config = Place::ROOT.field("config");
        match branching {
            Branching::If(condition) => {
                self.node_condition(seat, condition, &config.field("condition"));
            }
            Branching::Cases(cases) => {
                let list = config.field("cases");
                for (index, case) in cases.iter().enumerate() {
                    let place = list.index(index);
                    self.node_condition(seat, &case.condition, &place.field("condition"));
                }
            }
        }
    }

    fn node_condition(&self, seat: Seat, condition: &Value, place: &Place<'_>) {
        let make = |code, at: &str, message: String, hint: String| {
            let at = format!("{}{at}", below(place));
            self.view.of_node(seat, code, &at, message, hint)
        };
        self.condition(condition, Scene::Node(seat), &make);
    }

    fn edges(&self) {
        for scope in &self.view.scopes.list {
            for link in &scope.links {
                let Some(condition) = &scope.edge(link).condition else { continue };
                let make = |code, at: &str, message: String, hint: String| {
                    let at = format!(".condition{at}");
                    self.view.of_edge(scope, link.edge, code, &at, message, hint)
                };
                self.condition(condition, Scene::Edge(scope.seat(link.source)), &make);
            }
        }
    }

    fn condition(&self, condition: &Value, scene: Scene, make: &Make<'_>) {
        let findings = self.view.outside.condition(condition);
        self.judge(findings, ProblemCode::Condition, scene, make);
    }

    /// Every text in a value, however deep: the reader has bounded the depth.
    fn texts(&self, value: &Value, place: &Place<'_>, scene: Scene, make: &Make<'_>) {
        match value {
            Value::String(text) => {
                let make = |code, at: &str, message, hint| {
                    make(code, &format!("{}{at}", below(place)), message, hint)
                };
                let findings = self.view.outside.template(text);
                self.judge(findings, ProblemCode::Template, scene, &make);
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.texts(value, &place.index(index), scene, make);
                }
            }
            Value::Object(map) => {
                for (name, value) in map {
                    self.texts(value, &place.field(name), scene, make);
                }
            }
            _ => {}
        }
    }

    fn judge(&self, findings: Findings, code: ProblemCode, scene: Scene, make: &Make<'_>) {
        for fault in findings.faults {
            self.view.tell(make(code, &fault.at, fault.message, fault.hint));
        }
        for fault in findings.missing {
            let code = ProblemCode::UnknownPlugin;
            self.view.tell(make(code, &fault.at, fault.message, fault.hint).as_warning());
        }
        for reference in &findings.references {
            if let Some(wrong) = check_reference(self.view, &self.ancestors, scene, reference) {
                let problem = make(wrong.code, &reference.at, wrong.message, wrong.hint);
                self.view.tell(Problem { severity: wrong.severity, ..problem });
            }
        }
    }
}

/// A place without the `$` in front, to stand behind the path of a node or trigger.
fn below(place: &Place<'_>) -> String {
    place.to_string().trim_start_matches('$').to_owned()
}
