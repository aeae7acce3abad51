//! A small world of its own rules, so that the checks meet answers of every kind.

use serde_json::Value;

use crate::definition::check::{ActionShape, Fault, Findings, Outside, Reference, TriggerShape};
use crate::definition::model::{Call, Cron, FlowId, PluginTrigger};

/// Actions, plugins, secrets and flows with fixed names; see the lists below.
pub(crate) struct World;

/// Actions of which nothing else is known.
const PLAIN: [&str; 26] = [
    "crypto.hash",
    "crypto.hmac",
    "crypto.uuid",
    "data.aggregate",
    "data.dedupe",
    "data.html",
    "data.limit",
    "data.merge",
    "data.set",
    "data.sort",
    "data.split",
    "data.transform",
    "data.xml",
    "date.add",
    "date.diff",
    "date.format",
    "file.read",
    "file.write",
    "flow.delay",
    "flow.subflow",
    "http.graphql",
    "http.respond",
    "inbox.create",
    "notify.desktop",
    "shell.exec",
    "sqlite.query",
];

fn fault(at: &str, message: impl Into<String>) -> Fault {
    Fault { at: at.to_owned(), message: message.into(), hint: "Correct it.".to_owned() }
}

fn reference(path: &str, at: &str) -> Reference {
    let names = path.split(['.', '[', ']']).filter(|name| !name.is_empty());
    Reference { path: names.map(str::to_owned).collect(), at: at.to_owned() }
}

impl Outside for World {
    /// `{{a.path}}` and `{{helper a.path "literal"}}`.
    fn template(&self, text: &str) -> Findings {
        let mut findings = Findings::default();
        for part in text.replace("\\{{", "").split("{{").skip(1) {
            let Some((inside, _)) = part.split_once("}}") else {
                findings.faults.push(fault("", "a {{ is never closed"));
                continue;
            };
            let words: Vec<&str> = match inside.contains('[') {
                true => vec![inside.trim()],
                false => inside.split_whitespace().collect(),
            };
            let paths = words.get(usize::from(words.len() > 1)..2.min(words.len()));
            for path in paths.unwrap_or_default() {
                findings.references.push(reference(path, ""));
            }
        }
        findings
    }

    fn condition(&self, condition: &Value) -> Findings {
        let mut findings = Findings::default();
        read_condition(condition, "", &mut findings);
        findings
    }

    fn action(&self, call: &Call) -> Option<ActionShape> {
        if let Some(plugin) = &call.plugin_id {
            let known = plugin == "assistant" && call.action == "ai.prompt";
            return known.then(|| shape(&["out"]));
        }
        let needs = |field: &str| match call.config.contains_key(field) {
            true => Vec::new(),
            false => vec![fault(&format!(".{field}"), format!("{field} is missing"))],
        };
        let known = match call.action.as_str() {
            "http.request" => ActionShape { faults: needs("url"), ..shape(&["out"]) },
            "code.js" => ActionShape { raw: vec!["code".to_owned()], ..shape(&["out"]) },
            "data.filter" => {
                ActionShape { conditions: vec!["condition".to_owned()], ..shape(&["out"]) }
            }
            "flow.wait" => shape(&["approved", "rejected"]),
            "flow.loop" | "flow.parallel" => ActionShape { takes_body: true, ..shape(&["out"]) },
            "flow.break" | "flow.fail" => shape(&[]),
            known if PLAIN.contains(&known) => shape(&["out"]),
            _ => return None,
        };
        Some(known)
    }

    fn trigger(&self, trigger: &PluginTrigger) -> Option<TriggerShape> {
        let known = trigger.plugin_id == "assistant" && trigger.trigger == "ai.spoke";
        let faults = trigger.config.keys().map(|name| fault(&format!(".{name}"), "is not known"));
        known.then(|| TriggerShape { faults: faults.collect(), ..TriggerShape::default() })
    }

    fn has_plugin(&self, id: &str) -> bool {
        id == "assistant"
    }

    fn has_secret(&self, name: &str) -> bool {
        name == "api"
    }

    fn has_flow(&self, id: &FlowId) -> bool {
        id.as_str() == "alarm"
    }

    fn cron(&self, cron: &Cron) -> Option<Fault> {
        let fields = cron.expression.split_whitespace().count();
        (!(5..=6).contains(&fields)).then(|| fault("", format!("{fields} fields, not 5 or 6")))
    }

    fn query(&self, query: &str) -> Option<Fault> {
        query.contains("is:nonsense").then(|| fault("", "column 1: is: does not know it"))
    }

    fn pattern(&self, glob: &str) -> Option<Fault> {
        let open = glob.matches('[').count() != glob.matches(']').count();
        open.then(|| fault("", "a [ is never closed"))
    }

    fn schema(&self, schema: &Value) -> Option<Fault> {
        let known = ["object", "string", "number"];
        let wrong = schema["type"].as_str().is_some_and(|name| !known.contains(&name));
        wrong.then(|| fault(".type", "there is no such type"))
    }
}

fn shape(ports: &[&str]) -> ActionShape {
    let ports = ports.iter().map(|port| (*port).to_owned()).collect();
    ActionShape { ports, ..ActionShape::default() }
}

/// `exists`, `matches`, `compare`, `not`, `and` and `or` of the condition language.
fn read_condition(condition: &Value, at: &str, findings: &mut Findings) {
    match condition["type"].as_str() {
        Some("exists" | "matches") => read_ref(&condition["ref"], &format!("{at}.ref"), findings),
        Some("compare") => {
            for side in ["left", "right"] {
                read_ref(&condition[side], &format!("{at}.{side}"), findings);
            }
        }
        Some("not") => {
            read_condition(&condition["condition"], &format!("{at}.condition"), findings)
        }
        Some("and" | "or") => {
            for (index, inner) in
                condition["conditions"].as_array().into_iter().flatten().enumerate()
            {
                read_condition(inner, &format!("{at}.conditions[{index}]"), findings);
            }
        }
        other => {
            let message = format!("there is no condition {:?}", other.unwrap_or("without a type"));
            findings.faults.push(fault(&format!("{at}.type"), message));
        }
    }
}

fn read_ref(value: &Value, at: &str, findings: &mut Findings) {
    let path = value["path"].as_str().unwrap_or_default();
    match value["type"].as_str() {
        Some("literal") => {}
        Some("context") => findings.references.push(reference(path, at)),
        Some("node") => {
            let id = value["nodeId"].as_str().unwrap_or_default();
            findings.references.push(reference(&format!("nodes.{id}.output.{path}"), at));
        }
        _ => findings.faults.push(fault(at, "this refers to nothing")),
    }
}
