//! What a flow would have to be allowed, as far as its definition says.

use devrig_expr::Condition;
use devrig_expr::condition::DependsOn;
use serde_json::{Map, Value};
use url::Url;

use super::{Permission, Permissions, constants};
use crate::action::{Actions, Does};
use crate::definition::{
    Branching, Call, Definition, Filesystem, Graph, NodeId, NodeKind, PollingSource, Problem,
    ProblemCode, Trigger, TriggerId, TriggerKind,
};
use crate::input::Input;

/// What a field of a config asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub field: String,
    /// As [`Permission::kind`].
    pub kind: &'static str,
    /// Absent where it depends on data.
    pub permission: Option<Permission>,
}

/// What a node or a trigger asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub node: Option<NodeId>,
    pub trigger: Option<TriggerId>,
    /// JSON path of the place, such as `$.nodes[2].config.command`.
    pub place: String,
    pub wanted: Wanted,
}

/// Everything that a definition asks for, in its order.
pub fn needs(definition: &Definition, actions: &Actions) -> Vec<Need> {
    let mut found = Vec::new();
    let variables = &definition.variables;
    for (index, trigger) in definition.triggers.iter().enumerate() {
        of_trigger(trigger, &format!("$.triggers[{index}]"), variables, &mut found);
    }
    for (index, condition) in definition.entry_conditions.iter().enumerate() {
        of_condition(condition, &format!("$.entryConditions[{index}]"), None, &mut found);
    }
    of_graph(&definition.graph, "$", (actions, variables), &mut found);
    found
}

impl Wanted {
    /// A program that a field names.
    pub fn command(config: &Map<String, Value>, field: &str) -> Option<Self> {
        Self::by_text(config, field, "command", |text| Some(Permission::Command(text.to_owned())))
    }

    /// A file or folder that a field names, to be looked at.
    pub fn read(config: &Map<String, Value>, field: &str) -> Option<Self> {
        Self::by_text(config, field, "read", |text| Permission::given(&format!("read:{text}")).ok())
    }

    /// A file or folder that a field names, to be changed.
    pub fn write(config: &Map<String, Value>, field: &str) -> Option<Self> {
        let given = |text: &str| Permission::given(&format!("write:{text}")).ok();
        Self::by_text(config, field, "write", given)
    }

    /// The host of an address in a field, which is known although what follows it may not be.
    pub fn network(config: &Map<String, Value>, field: &str) -> Option<Self> {
        let text = config.get(field)?.as_str()?;
        let permission = match constants::address(text) {
            Some(address) => Some(Permission::of_url(&Url::parse(address).ok()?)?),
            None => None,
        };
        Some(Self { field: field.to_owned(), kind: "network", permission })
    }

    /// What is the same whatever the config says.
    pub fn always(field: &str, permission: Permission) -> Self {
        Self { field: field.to_owned(), kind: permission.kind(), permission: Some(permission) }
    }

    /// A value that is wrong asks for nothing: it is told elsewhere.
    fn by_text(
        config: &Map<String, Value>,
        field: &str,
        kind: &'static str,
        permission: impl Fn(&str) -> Option<Permission>,
    ) -> Option<Self> {
        let text = config.get(field)?.as_str()?;
        let permission = match text.contains("{{") {
            true => None,
            false => Some(permission(text)?),
        };
        Some(Self { field: field.to_owned(), kind, permission })
    }
}

impl Need {
    /// That the flow may not, where this is certain.
    pub fn problem(&self, permissions: &Permissions) -> Option<Problem> {
        let wanted = self.wanted.permission.as_ref()?;
        if permissions.allow(wanted) {
            return None;
        }
        let who = match (&self.node, &self.trigger) {
            (Some(node), _) => format!("node `{node}`: "),
            (None, Some(trigger)) => format!("trigger `{trigger}`: "),
            (None, None) => String::new(),
        };
        let message = format!("{who}the flow is not allowed {wanted}");
        let hint = format!("If it should be, run `{}`.", permissions.remedy(wanted));
        let problem = Problem::error(ProblemCode::NotAllowed, &*self.place, message, hint);
        let (node, trigger) = (self.node.clone(), self.trigger.clone());
        Some(Problem { node, trigger, ..problem.as_warning() })
    }
}

/// What there is to call, and what is the same in every run.
type Known<'a> = (&'a Actions, &'a Map<String, Value>);

fn of_graph(graph: &Graph, path: &str, known: Known<'_>, found: &mut Vec<Need>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let path = format!("{path}.nodes[{index}]");
        if let NodeKind::Condition(branching) = &node.kind
            && !node.disabled
        {
            for (below, condition) in conditions(branching) {
                of_condition(condition, &format!("{path}{below}"), Some(&node.id), found);
            }
        }
        let Some(call) = node.call().filter(|_| !node.disabled) else { continue };
        let need = |(below, wanted): (&str, Wanted)| Need {
            node: Some(node.id.clone()),
            trigger: None,
            place: place(&format!("{path}{below}"), &wanted.field),
            wanted,
        };
        let plugin = call.plugin_id.as_deref().map(of_plugin).into_iter();
        let config = of_config(call, known).into_iter();
        found.extend(plugin.chain(config.map(|wanted| (".config", wanted))).map(need));
        if let Some(body) = &call.body {
            of_graph(body, &format!("{path}.body"), known, found);
        }
    }
    for (index, edge) in graph.edges.iter().enumerate() {
        if let Some(condition) = &edge.condition {
            of_condition(condition, &format!("{path}.edges[{index}].condition"), None, found);
        }
    }
}

/// The conditions of a node, each with where it stands.
fn conditions(branching: &Branching) -> Vec<(String, &Value)> {
    match branching {
        Branching::If(condition) => vec![(".config.condition".to_owned(), condition)],
        Branching::Cases(cases) => {
            let place = |index: usize| format!(".config.cases[{index}].condition");
            cases.iter().enumerate().map(|(n, case)| (place(n), &case.condition)).collect()
        }
    }
}

/// The plugins that a condition asks. What is no condition asks nobody, and is told elsewhere.
fn of_condition(value: &Value, path: &str, node: Option<&NodeId>, found: &mut Vec<Need>) {
    let Ok(condition) = Condition::parse(value) else { return };
    for asked in condition.dependencies() {
        let DependsOn::Custom { plugin_id, .. } = &asked.on else { continue };
        let dot = if asked.place.is_empty() || asked.place.starts_with('[') { "" } else { "." };
        found.push(Need {
            node: node.cloned(),
            trigger: None,
            place: format!("{path}{dot}{}.pluginId", asked.place),
            wanted: Wanted::always("pluginId", Permission::of_plugin(plugin_id)),
        });
    }
}

/// What the plugin itself touches is its own to be granted.
fn of_plugin(name: &str) -> (&'static str, Wanted) {
    ("", Wanted::always("pluginId", Permission::of_plugin(name)))
}

fn of_config(call: &Call, (actions, variables): Known<'_>) -> Vec<Wanted> {
    let Ok(action) = actions.of_call(call) else { return Vec::new() };
    let mut wanted = match &action.does {
        Does::Work(work) => {
            work.needs(&constants::filled(&call.config, action.about.raw, variables))
        }
        _ => Vec::new(),
    };
    wanted.extend(read_by_expressions(&call.config, action.about.raw));
    wanted
}

fn read_by_expressions(config: &Map<String, Value>, raw: &[&str]) -> Vec<Wanted> {
    let Ok(input) = Input::compile(config, raw) else { return Vec::new() };
    let secrets = input.reads.secrets.into_iter().map(Permission::Secret);
    let env = input.reads.env.into_iter().map(Permission::Env);
    secrets.chain(env).map(|permission| Wanted::always("", permission)).collect()
}

fn of_trigger(
    trigger: &Trigger,
    path: &str,
    variables: &Map<String, Value>,
    found: &mut Vec<Need>,
) {
    let (below, wanted) = match &trigger.kind {
        _ if trigger.disabled => return,
        TriggerKind::Filesystem(filesystem) => ("", watched(filesystem)),
        TriggerKind::Polling(polling) => match &polling.source {
            source @ PollingSource::Http { .. } => {
                let source = source.to_map();
                let filled = constants::filled(&source, &[], variables);
                let host = Wanted::network(&filled, "url").into_iter();
                (".source", host.chain(read_by_expressions(&source, &[])).collect())
            }
            source @ PollingSource::Plugin { plugin_id, .. } => {
                let plugin = Wanted::always("pluginId", Permission::of_plugin(plugin_id));
                let read = read_by_expressions(&source.to_map(), &[]);
                (".source", std::iter::once(plugin).chain(read).collect())
            }
        },
        TriggerKind::Plugin(plugin) => {
            let used = Wanted::always("pluginId", Permission::of_plugin(&plugin.plugin_id));
            let read = read_by_expressions(&plugin.config, &[]);
            ("", std::iter::once(used).chain(read).collect())
        }
        _ => return,
    };
    found.extend(wanted.into_iter().map(|wanted| Need {
        node: None,
        trigger: Some(trigger.id.clone()),
        place: place(&format!("{path}{below}"), &wanted.field),
        wanted,
    }));
}

/// The folders in which globs begin.
fn watched(filesystem: &Filesystem) -> Vec<Wanted> {
    let begin = |glob: &String| {
        let fixed = |part: &&str| !part.contains(['*', '?', '[', '{']);
        let parts: Vec<&str> = glob.split('/').take_while(fixed).collect();
        parts.join("/")
    };
    let read = |(index, path): (usize, &String)| {
        let permission = Permission::given(&format!("read:{}", begin(path))).ok()?;
        Some(Wanted::always(&format!("paths[{index}]"), permission))
    };
    filesystem.paths.iter().enumerate().filter_map(read).collect()
}

fn place(path: &str, field: &str) -> String {
    match field {
        "" => path.to_owned(),
        field => format!("{path}.{field}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::read_value;

    fn found(definition: Value) -> Vec<(String, Option<String>)> {
        let definition = read_value(definition).unwrap();
        let needs = needs(&definition, &crate::actions::builtin().unwrap());
        let shown = |need: Need| (need.place, need.wanted.permission.map(|one| one.to_string()));
        needs.into_iter().map(shown).collect()
    }

    fn flow(triggers: Value, nodes: Value) -> Value {
        json!({"id": "x", "schemaVersion": 1, "name": "X", "triggers": triggers, "nodes": nodes})
    }

    fn call(id: &str, action: &str, config: Value) -> Value {
        json!({"id": id, "type": "action", "action": action, "config": config})
    }

    #[test]
    fn what_a_definition_touches_is_told_with_its_place() {
        let body =
            json!({"nodes": [call("in", "shell.exec", json!({"command": "make", "args": []}))]});
        let nodes = json!([
            call("a", "shell.exec", json!({"command": "{{trigger.payload.tool}}", "args": ["{{secrets.t}}"]})),
            {"id": "each", "type": "action", "action": "flow.loop", "config": {"items": []}, "body": body},
            call("b", "file.read", json!({"path": "/etc/{{env.HOST}}"})),
            call("c", "file.write", json!({"path": "/nowhere/x", "content": "a"})),
            {"id": "d", "type": "action", "pluginId": "devrig-plugin-desk", "action": "desk.open"},
        ]);
        let told = |place: &str, what: Option<&str>| (place.to_owned(), what.map(str::to_owned));
        assert_eq!(
            found(flow(json!([]), nodes)),
            [
                told("$.nodes[0].config.command", None),
                told("$.nodes[0].config", Some("secret:t")),
                told("$.nodes[1].body.nodes[0].config.command", Some("command:make")),
                told("$.nodes[2].config.path", None),
                told("$.nodes[2].config", Some("env:HOST")),
                told("$.nodes[3].config.path", Some("write:/nowhere/x")),
                told("$.nodes[4].pluginId", Some("plugin:desk")),
            ]
        );
    }

    #[test]
    fn what_only_variables_decide_is_known() {
        let transform = json!({"path": "{{variables.none}}", "read": {"format": "json"},
            "write": {"path": "{{lookup variables.all 0}}/y", "format": "yaml"}});
        let nodes = json!([
            call(
                "a",
                "file.write",
                json!({"path": "{{variables.out}}/x", "content": "{{run.id}}"})
            ),
            call("b", "file.write", json!({"path": "{{variables.out}}/{{run.id}}", "content": ""})),
            call("c", "file.transform", transform),
        ]);
        let asks = |url: &str| json!({"id": "p", "type": "polling", "intervalMs": 60000, "source": {"type": "http", "url": url}});
        let triggers = [
            "https://{{variables.host}}/feed",
            "https://b.example.com:8443/{{flow.id}}",
            "https://b.example.com{{flow.id}}",
            "https://{{flow.id}}/{{variables.host}}",
        ];
        let mut triggers = triggers.map(asks);
        for (number, trigger) in triggers.iter_mut().enumerate() {
            trigger["id"] = json!(format!("p{number}"));
        }
        let mut all = flow(json!(triggers), nodes);
        all["variables"] =
            json!({"out": "/nowhere/out", "all": ["/nowhere/all"], "host": "a.example.com"});
        let permissions: Vec<_> = found(all).into_iter().map(|(_, what)| what).collect();
        let expected = [
            Some("network:a.example.com"),
            Some("network:b.example.com:8443"),
            None,
            None,
            Some("write:/nowhere/out/x"),
            None,
            Some("write:/nowhere/all/y"),
        ];
        assert_eq!(permissions, expected.map(|one| one.map(str::to_owned)));
    }

    #[test]
    fn triggers_touch_folders_and_hosts() {
        let triggers = json!([
            {"id": "w", "type": "filesystem", "paths": ["/nowhere/in/*.csv", "/nowhere/a/**/b"]},
            {"id": "p", "type": "polling", "intervalMs": 60000,
                "source": {"type": "http", "url": "https://API.example.com:8443/x"}},
        ]);
        let permissions = |list: Vec<(String, Option<String>)>| -> Vec<_> {
            list.into_iter().filter_map(|(_, what)| what).collect()
        };
        assert_eq!(
            permissions(found(flow(triggers, json!([])))),
            ["read:/nowhere/in", "read:/nowhere/a", "network:api.example.com:8443"]
        );
    }

    #[test]
    fn what_is_not_allowed_is_a_warning_with_the_remedy() {
        let nodes = json!([call("c", "file.write", json!({"path": "/nowhere/x", "content": "a"}))]);
        let definition = read_value(flow(json!([]), nodes)).unwrap();
        let need = needs(&definition, &crate::actions::builtin().unwrap()).remove(0);
        let none = Permissions::default().of_flow("digest");
        let problem = need.problem(&none).unwrap();
        assert!(!problem.is_error() && problem.node.is_some(), "{problem:?}");
        assert!(problem.hint.contains("devrig flow allow digest write:/nowhere/x"), "{problem:?}");
        let some: Permissions = [Permission::Write("/nowhere".into())].into_iter().collect();
        assert_eq!(need.problem(&some), None);
    }
}
