//! `devrig-plugin.json` as DevRig works with it.

use serde::Deserialize;
use serde_json::Value;

use crate::permission::Permission;
use crate::text::shown;

/// A manifest that was found good, its schemas read in.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub display_name: String,
    pub description: String,
    pub author: String,
    /// The entry module.
    pub main: Option<String>,
    pub permissions: Vec<Permission>,
    pub data_sources: Vec<DataSource>,
    pub actions: Vec<Action>,
    pub conditions: Vec<Condition>,
    pub hooks: Vec<Hook>,
    pub triggers: Vec<Trigger>,
    pub settings_schema: Option<Value>,
    pub connection: Option<Connect>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataSource {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default = "five_minutes")]
    pub default_sync_interval_ms: f64,
}

fn five_minutes() -> f64 {
    300_000.0
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// `type` in the legacy form.
    #[serde(alias = "type")]
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// The schema itself, or the file that holds it until it is read in.
    #[serde(default)]
    pub input_schema: Option<Value>,
    #[serde(default)]
    pub output_schema: Option<Value>,
    #[serde(default)]
    pub applies_to: Vec<String>,
    /// Sending it twice does no harm.
    #[serde(default)]
    pub idempotent: bool,
    #[serde(default)]
    pub effect: Effect,
    /// The action that takes this one back.
    #[serde(default)]
    pub reverse: Option<String>,
    /// Where in the manifest it stands.
    #[serde(skip)]
    pub at: String,
}

/// A question of a flow that the plugin can answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `type` in the legacy form.
    #[serde(alias = "type")]
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// Of the list of its arguments: the schema itself, or the file that holds it until it is read in.
    #[serde(default)]
    pub config_schema: Option<Value>,
    /// Where in the manifest it stands.
    #[serde(skip)]
    pub at: String,
}

/// What the plugin wants to know of actions of flows: asked before, told after.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    pub id: String,
    pub name: String,
    /// Patterns over the names of actions.
    pub actions: Vec<String>,
    #[serde(default)]
    pub before: bool,
    #[serde(default)]
    pub after: bool,
}

/// Something that starts flows: asked for news, or fired by the plugin.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// `type` in the legacy form.
    #[serde(alias = "type")]
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// The schema itself, or the file that holds it until it is read in.
    #[serde(default)]
    pub config_schema: Option<Value>,
    /// Of what its events tell.
    #[serde(default)]
    pub payload_schema: Option<Value>,
    #[serde(default)]
    pub sample_payload: Option<Value>,
    /// How often it is asked unless a flow says otherwise; absent for one that only the plugin fires.
    #[serde(default)]
    pub poll_interval_ms: Option<u64>,
    /// Where in the manifest it stands.
    #[serde(skip)]
    pub at: String,
}

/// How a person connects an account: with a secret that the plugin can check.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// The secret's name.
    pub secret: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// The page where such a secret is made; `{settings.NAME}` stands for a setting.
    #[serde(default)]
    pub url: Option<String>,
}

/// A right that the secret has to carry.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize, specta::Type)]
pub struct Scope {
    pub name: String,
    pub why: String,
}

/// What an action does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Pure,
    Read,
    #[default]
    Write,
}

/// The file, before anything in it was checked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Raw {
    pub name: String,
    pub version: String,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub author: Author,
    #[serde(default = "any_version")]
    pub engine: String,
    #[serde(default)]
    pub main: Option<String>,
    #[serde(default)]
    pub permissions: Vec<String>,
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What a manifest of the legacy form has instead of capabilities.
    #[serde(flatten)]
    pub legacy: Legacy,
    #[serde(default)]
    pub settings_schema: Option<Value>,
    #[serde(default)]
    pub connection: Option<Connect>,
}

fn any_version() -> String {
    "*".to_owned()
}

/// What this version uses is typed; what belongs to the format only stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Capabilities {
    pub data_sources: Vec<DataSource>,
    pub actions: Vec<Action>,
    pub conditions: Vec<Condition>,
    pub hooks: Vec<Hook>,
    pub triggers: Vec<Trigger>,
}

/// The lists of the legacy form, which stand at the top.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Legacy {
    actions: Vec<Action>,
    conditions: Vec<Condition>,
    triggers: Vec<Trigger>,
}

impl Capabilities {
    /// With those of the legacy form, each with its place.
    pub fn and(self, legacy: Legacy) -> Self {
        Self {
            data_sources: self.data_sources,
            actions: placed("actions", self.actions, legacy.actions, |one| &mut one.at),
            conditions: placed("conditions", self.conditions, legacy.conditions, |one| &mut one.at),
            hooks: self.hooks,
            triggers: placed("triggers", self.triggers, legacy.triggers, |one| &mut one.at),
        }
    }
}

fn placed<T>(
    list: &str,
    new: Vec<T>,
    legacy: Vec<T>,
    at: impl Fn(&mut T) -> &mut String,
) -> Vec<T> {
    let mut all = Vec::new();
    for (prefix, list_of) in [("/capabilities", new), ("", legacy)] {
        for (index, mut one) in list_of.into_iter().enumerate() {
            *at(&mut one) = format!("{prefix}/{list}/{index}");
            all.push(one);
        }
    }
    all
}

/// A name, or what package.json makes of one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Author {
    Name(String),
    Person { name: String },
}

impl Default for Author {
    fn default() -> Self {
        Self::Name(String::new())
    }
}

impl Author {
    pub(crate) fn into_name(self) -> String {
        match self {
            Self::Name(name) | Self::Person { name } => name,
        }
    }
}

impl Manifest {
    pub fn data_source(&self, id: &str) -> Option<&DataSource> {
        self.data_sources.iter().find(|source| source.id == id)
    }

    pub fn action(&self, id: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }

    pub fn trigger(&self, id: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.id == id)
    }

    pub fn condition(&self, id: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.id == id)
    }

    /// What one of its permissions allows. Of hooks it is told which actions they are around.
    pub fn words(&self, permission: &Permission) -> String {
        let words = permission.words();
        if permission.kind != crate::permission::Kind::FlowHooks || self.hooks.is_empty() {
            return words;
        }
        let around = |hook: &Hook| format!("{} ({})", hook.name, hook.actions.join(", "));
        let hooks: Vec<String> = self.hooks.iter().map(around).collect();
        format!("{words}: “{}”", shown(&hooks.join("; "), 400))
    }

    /// Settings with the schema's defaults for what the person left out.
    pub fn with_defaults(&self, settings: Value) -> Value {
        let properties =
            self.settings_schema.as_ref().and_then(|schema| schema["properties"].as_object());
        let (Some(properties), Value::Object(mut members)) = (properties, settings.clone()) else {
            return settings;
        };
        for (name, property) in properties {
            if let (Some(default), false) = (property.get("default"), members.contains_key(name)) {
                members.insert(name.clone(), default.clone());
            }
        }
        Value::Object(members)
    }

    /// Names of secrets that an account can hold.
    pub fn secrets(&self) -> Vec<String> {
        use crate::permission::Kind;
        let mut names: Vec<String> = Vec::new();
        for permission in &self.permissions {
            if let Kind::Secret { name, .. } | Kind::SecretReveal(name) = &permission.kind
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        }
        names
    }

    /// True when any name of a secret may be used, as the reference's bare form has it.
    pub fn any_secret(&self) -> bool {
        self.permissions.iter().any(|p| p.kind == crate::permission::Kind::AnySecret)
    }
}
