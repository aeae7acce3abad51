//! What an action or ai node runs.

use serde_json::{Map, Value};

use crate::definition::model::Graph;
use crate::definition::read::MOST_BODY_DEPTH;
use crate::definition::wire::{At, Object, Writer};

/// An action by name, with what it is given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Call {
    /// Such as `http.request`, or a plugin's own name for what it offers.
    pub action: String,
    /// The plugin that has the action; absent for DevRig's own.
    pub plugin_id: Option<String>,
    /// The account of the plugin; absent: its only one.
    pub account_id: Option<String>,
    /// Texts in it are templates.
    pub config: Map<String, Value>,
    /// What `flow.loop` repeats and `flow.parallel` runs at once.
    pub body: Option<Graph>,
}

impl Call {
    /// A call of one of DevRig's own actions.
    pub fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), ..Self::default() }
    }

    pub(crate) fn read(object: &Object<'_>, depth: usize) -> Self {
        let plugin_id = object.optional("pluginId", |at| at.line(214));
        Self {
            action: object.required("action", read_action),
            account_id: read_account(object, plugin_id.is_some()),
            plugin_id,
            config: object.or("config", Map::new(), |at| at.map()),
            body: object.optional("body", |at| read_body(at, depth + 1)),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("action", &self.action);
        into.some("pluginId", &self.plugin_id);
        into.some("accountId", &self.account_id);
        into.unless("config", &self.config, &Map::new());
        if let Some(body) = &self.body {
            let mut inner = Writer::default();
            body.write(&mut inner);
            into.put("body", inner.into_map());
        }
    }
}

fn read_action(at: At<'_>) -> String {
    let text = at.line(200);
    if text.chars().any(char::is_whitespace) {
        return at.wrong_value("has a space", "Write the name of an action, such as http.request.");
    }
    text
}

fn read_account(object: &Object<'_>, of_plugin: bool) -> Option<String> {
    if of_plugin || object.has("pluginId") {
        return object.optional("accountId", |at| at.line(64));
    }
    object.refuse("accountId", "DevRig's own actions have no accounts");
    None
}

fn read_body(at: At<'_>, depth: usize) -> Graph {
    if depth > MOST_BODY_DEPTH {
        return at.wrong_value(
            &format!("is nested more than {MOST_BODY_DEPTH} levels deep"),
            "Put the inner part into a flow of its own, and call it with flow.subflow.",
        );
    }
    // Problems inside are told of the nodes there, or of the one around where they have no id.
    at.object(|object| Graph::read(object, depth))
}
