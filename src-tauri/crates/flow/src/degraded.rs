//! Flows that cannot do all that they should, because a plugin that they use does nothing.

use std::collections::BTreeMap;

use devrig_core::{Code, Error};
use devrig_expr::Condition;
use devrig_expr::condition::DependsOn;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{
    Branching, Definition, Graph, NodeKind, PollingSource, Trigger, TriggerKind,
};
use crate::plugins::{PluginActions, short};

/// A plugin that a flow uses and that does nothing at present.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Degraded {
    /// The plugin's short name.
    pub plugin: String,
    /// Why it does nothing, with what would help.
    pub why: Error,
    /// Ids of the nodes that need it, those whose ways on need it included.
    pub nodes: Vec<String>,
    /// Ids of the triggers that need it.
    pub triggers: Vec<String>,
}

/// What of a flow needs a plugin.
#[derive(Debug, Default, PartialEq, Eq)]
struct Uses {
    nodes: Vec<String>,
    triggers: Vec<String>,
}

/// The plugins that a definition uses and that do nothing, by name.
pub(crate) fn degraded(flow: &Definition, plugins: Option<&dyn PluginActions>) -> Vec<Degraded> {
    let lost = |(plugin, Uses { nodes, triggers }): (String, Uses)| {
        let why = stopped(&plugin, plugins)?;
        Some(Degraded { plugin, why, nodes, triggers })
    };
    uses(flow).into_iter().filter_map(lost).collect()
}

fn stopped(name: &str, plugins: Option<&dyn PluginActions>) -> Option<Error> {
    match plugins.and_then(|plugins| plugins.plugin(name)) {
        Some(plugin) => plugin.stopped,
        None => Some(
            Error::new(Code::NotFound, format!("the plugin {name} is not installed"))
                .hint("Install it: devrig plugin install FOLDER"),
        ),
    }
}

/// By the short names of the plugins. What is disabled needs nothing.
fn uses(flow: &Definition) -> BTreeMap<String, Uses> {
    let mut found = Found::default();
    flow.entry_conditions.iter().for_each(|condition| found.asked(condition, &Part::Flow));
    for trigger in flow.triggers.iter().filter(|trigger| !trigger.disabled) {
        found.trigger(trigger);
    }
    found.graph(&flow.graph);
    found.0
}

/// What needs a plugin.
enum Part<'d> {
    Flow,
    Node(&'d str),
    Trigger(&'d str),
}

#[derive(Default)]
struct Found(BTreeMap<String, Uses>);

impl Found {
    fn graph(&mut self, graph: &Graph) {
        for node in graph.nodes.iter().filter(|node| !node.disabled) {
            let part = Part::Node(node.id.as_str());
            match &node.kind {
                NodeKind::Action(call) | NodeKind::Ai(call) => {
                    call.plugin_id.iter().for_each(|plugin| self.needs(plugin, &part));
                    call.body.iter().for_each(|body| self.graph(body));
                }
                NodeKind::Condition(branching) => self.branching(branching, &part),
                NodeKind::Junction(_) | NodeKind::Note(_) => {}
            }
        }
        for edge in &graph.edges {
            let part = Part::Node(edge.source.as_str());
            edge.condition.iter().for_each(|condition| self.asked(condition, &part));
        }
    }

    fn branching(&mut self, branching: &Branching, part: &Part<'_>) {
        match branching {
            Branching::If(condition) => self.asked(condition, part),
            Branching::Cases(cases) => {
                cases.iter().for_each(|case| self.asked(&case.condition, part));
            }
        }
    }

    fn trigger(&mut self, trigger: &Trigger) {
        let part = Part::Trigger(trigger.id.as_str());
        match &trigger.kind {
            TriggerKind::Plugin(plugin) => self.needs(&plugin.plugin_id, &part),
            TriggerKind::Polling(polling) => {
                if let PollingSource::Plugin { plugin_id, .. } = &polling.source {
                    self.needs(plugin_id, &part);
                }
            }
            TriggerKind::Event(event) => {
                event.filter.iter().for_each(|filter| self.asked(filter, &part));
            }
            _ => {}
        }
    }

    /// What a condition asks plugins.
    fn asked(&mut self, condition: &Value, part: &Part<'_>) {
        let asked = Condition::parse(condition).map(|it| it.dependencies()).unwrap_or_default();
        for dependency in asked {
            if let DependsOn::Custom { plugin_id, .. } = &dependency.on {
                self.needs(plugin_id, part);
            }
        }
    }

    fn needs(&mut self, plugin: &str, part: &Part<'_>) {
        let uses = self.0.entry(short(plugin).to_owned()).or_default();
        let (list, id) = match part {
            Part::Flow => return,
            Part::Node(id) => (&mut uses.nodes, *id),
            Part::Trigger(id) => (&mut uses.triggers, *id),
        };
        if !list.iter().any(|listed| listed == id) {
            list.push(id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::read_value;

    fn custom(plugin: &str) -> Value {
        json!({"type": "custom", "pluginId": plugin, "functionName": "f", "args": []})
    }

    #[test]
    fn every_place_that_a_plugin_is_used_in_is_found() {
        let call = |id: &str, plugin: &str| json!({"id": id, "type": "action", "action": "x.do", "pluginId": plugin});
        let mut off = call("off", "never");
        off["disabled"] = json!(true);
        let flow = json!({"id": "f", "name": "f",
            "entryConditions": [custom("gate")],
            "triggers": [
                {"id": "own", "type": "plugin", "pluginId": "a", "trigger": "a.t", "config": {}},
                {"id": "asked", "type": "polling", "intervalMs": 60000,
                 "source": {"type": "plugin", "pluginId": "a", "functionName": "f", "args": []}},
                {"id": "end", "type": "event", "sourceFlowId": "*", "event": "any", "filter": custom("b")},
            ],
            "nodes": [
                call("one", "devrig-plugin-a"), off,
                {"id": "each", "type": "action", "action": "flow.loop", "config": {"items": []},
                 "body": {"nodes": [call("in", "b")]}},
                {"id": "if", "type": "condition", "config": {"condition": {"type": "not", "condition": custom("c")}}},
            ],
            "edges": [{"source": "one", "target": "each", "condition": custom("c")}]});
        let found = uses(&read_value(flow).unwrap());
        let lists =
            |plugin: &str| (found[plugin].nodes.join(" "), found[plugin].triggers.join(" "));
        assert_eq!(lists("a"), ("one".into(), "own asked".into()));
        assert_eq!(lists("b"), ("in".into(), "end".into()));
        assert_eq!(lists("c"), ("if one".into(), String::new()));
        assert_eq!(lists("gate"), (String::new(), String::new()));
        assert_eq!(found.len(), 4, "{found:?}");
    }
}
