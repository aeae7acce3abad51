//! What a node can do: actions by name, each with what it takes, what it gives and what it touches.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::{Actor, Code, Error, Origin, Result};
use devrig_expr::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::definition::Call;
use crate::limits::{Lane, Limits};
use crate::permissions::{Permissions, Wanted};
use crate::plugins::{PluginActions, PluginCall};

/// What an action does to the world, which decides what must be on disk before it begins and what
/// may be done again after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: the same input gives the same output.
    Pure,
    /// Looks at the world.
    Read,
    /// Changes the world.
    Write,
}

/// What one call does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stakes {
    pub effect: Effect,
    /// Whether doing it twice under one key is the same as once.
    pub idempotent: bool,
}

/// What people and checks are told of an action. Schemas are JSON Schema (2020-12).
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Such as `http.request`; what stands before the dot is its category.
    pub name: &'static str,
    pub title: &'static str,
    /// Markdown.
    pub text: &'static str,
    pub effect: Effect,
    /// Whether doing it twice under one key is the same as once.
    pub idempotent: bool,
    pub input: &'static str,
    pub output: &'static str,
    /// A config as JSON.
    pub example: &'static str,
    /// How long it usually takes, in milliseconds.
    pub typical_ms: u32,
    /// Fields of the config whose texts are no templates, such as the code of `code.js`.
    pub raw: &'static [&'static str],
}

impl About {
    /// What a call does, as far as the action alone tells.
    pub fn stakes(&self) -> Stakes {
        Stakes { effect: self.effect, idempotent: self.idempotent }
    }
}

/// Around one attempt of an action.
pub struct Context<'a> {
    /// The id of the flow.
    pub flow: &'a str,
    pub run: &'a str,
    /// The path of the node in its run.
    pub node: &'a str,
    /// Counts from 1.
    pub attempt: u32,
    /// The same for every attempt of this node in this run, also after a crash.
    pub key: &'a str,
    /// Automatic steps since a person or a source acted, which those that it sets off count on.
    pub depth: u8,
    /// What expressions see.
    pub data: &'a Data<'a>,
    /// What the flow may touch.
    pub permissions: &'a Permissions,
    /// Cancelled when the run is, or when the time of the attempt is over.
    pub token: &'a CancellationToken,
    pub log: &'a (dyn Log + 'a),
}

impl Context<'_> {
    /// Who changes something, for what follows changes.
    pub fn origin(&self) -> Origin {
        let name =
            "flow.name".parse::<Path>().ok().and_then(|path| path.get(self.data.view())?.text());
        let origin =
            Origin::new(Actor::Flow).because(format!("flow {}", name.unwrap_or(self.flow)));
        Origin { depth: self.depth, ..origin }
    }
}

/// Where an action says what a person may want to know later.
pub trait Log: Send + Sync {
    fn say(&self, level: Level, message: &str);
}

/// How much a line of the log matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, specta::Type,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Work that takes time or touches the world.
#[async_trait]
pub trait Action: Send + Sync {
    /// # Errors
    /// The retry policy decides by the category whether it is tried again.
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value>;

    /// What is wrong with a config, beyond what its schema says, before its expressions have
    /// values.
    ///
    /// # Errors
    /// `INVALID_INPUT` and others that begin with the field.
    async fn check(&self, _config: &Map<String, Value>) -> Result<()> {
        Ok(())
    }

    /// What a config touches, as far as it can be told before its expressions have values.
    fn needs(&self, _config: &Map<String, Value>) -> Vec<Wanted> {
        Vec::new()
    }

    /// What a call with this input does, where that decides; `usual` is what the action says.
    fn stakes(&self, _input: &Value, usual: Stakes) -> Stakes {
        usual
    }

    /// What has a circuit breaker of its own where the flow has breakers: a host, a program.
    fn target(&self, _input: &Value) -> Option<String> {
        None
    }

    /// The action of a plugin that this is, where it is none of DevRig's own.
    fn of_plugin(&self) -> Option<&PluginCall> {
        None
    }
}

/// What the walk over the graph does itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Runs the body for each element of a list.
    Loop,
    /// Runs the body once, its nodes side by side.
    Parallel,
    /// Ends the loop around it.
    Break,
    /// Waits for some time.
    Delay,
    /// Chooses a port.
    Branch,
    /// Ends the run as failed.
    Fail,
    /// Answers the request that started the run.
    Respond,
    /// Runs another flow.
    Subflow,
    /// Waits for a time, a request or a person.
    Wait,
}

/// How an action is done.
#[derive(Clone)]
pub enum Does {
    /// At once, by a plain function.
    Pure(fn(Value) -> Result<Value>),
    Work(Arc<dyn Action>),
    Control(Control),
}

/// An action as the registry has it.
pub struct Registered {
    pub about: About,
    pub does: Does,
    /// Where its calls wait for their turn.
    pub lane: Arc<Lane>,
    input: jsonschema::Validator,
    /// Absent where it may give anything, and where our own code computes what it gives: those are
    /// too quick to be looked at each time.
    output: Option<jsonschema::Validator>,
}

impl Registered {
    /// # Errors
    /// `INTERNAL` when one of its schemas is none.
    pub(crate) fn new(about: About, does: Does, lane: Arc<Lane>) -> Result<Self> {
        let wrong = |why: String| Error::internal(format!("a schema of {}: {why}", about.name));
        let validator = |schema: &str| {
            let schema = serde_json::from_str(schema).map_err(|error| wrong(error.to_string()))?;
            jsonschema::validator_for(&schema).map_err(|error| wrong(error.to_string()))
        };
        let input = validator(about.input)?;
        let output = match about.effect {
            Effect::Pure => None,
            _ => (about.output != "{}").then(|| validator(about.output)).transpose()?,
        };
        Ok(Self { about, does, lane, input, output })
    }

    /// What an output has that the action does not promise, without what was found there.
    pub fn unpromised(&self, output: &Value) -> Option<String> {
        let promise = self.output.as_ref().filter(|promise| !promise.is_valid(output))?;
        promise.iter_errors(output).next().map(|wrong| at_place(&wrong, &wrong.masked()))
    }

    /// Of the input, by its schema.
    pub(crate) fn validator(&self) -> &jsonschema::Validator {
        &self.input
    }

    /// # Errors
    /// `INVALID_INPUT` that names the field and what it should be.
    pub fn check(&self, input: &Value) -> Result<()> {
        if self.input.is_valid(input) {
            return Ok(());
        }
        let found: Vec<String> = self.input.iter_errors(input).take(3).map(|e| told(&e)).collect();
        let name = self.about.name;
        Err(Error::new(Code::InvalidInput, format!("{name}: {}", found.join("; ")))
            .hint(format!("See what {name} takes: `devrig flow actions {name}`.")))
    }
}

fn told(error: &jsonschema::ValidationError<'_>) -> String {
    at_place(error, error)
}

fn at_place(error: &jsonschema::ValidationError<'_>, what: &dyn std::fmt::Display) -> String {
    match error.instance_path().as_str() {
        "" => what.to_string(),
        path => format!("{}: {what}", path.trim_start_matches('/').replace('/', ".")),
    }
}

/// Calls of one action at a time where nobody said otherwise. Branches and rounds of many runs
/// together may ask for far more than a machine has sockets for.
const AT_ONCE: u32 = 256;
/// Programs take more of a machine than requests do.
const PROGRAMS_AT_ONCE: u32 = 32;

fn usual(about: &About, does: &Does) -> Option<u32> {
    let starts_programs = about.name == "shell.exec" || about.name.starts_with("git.");
    match does {
        Does::Work(_) if starts_programs => Some(PROGRAMS_AT_ONCE),
        Does::Work(_) if about.effect != Effect::Pure => Some(AT_ONCE),
        _ => None,
    }
}

/// Every action there is.
#[derive(Default)]
pub struct Actions {
    by_name: BTreeMap<&'static str, Arc<Registered>>,
    plugins: Option<Arc<dyn PluginActions>>,
    limits: Limits,
}

impl Actions {
    /// Adds an action.
    ///
    /// # Errors
    /// `INTERNAL` when its schema is none, `CONFLICT` when the name is taken.
    pub fn add(&mut self, about: About, does: Does) -> Result<()> {
        let lane = self.limits.lane(about.name, usual(&about, &does));
        let registered = Registered::new(about, does, lane)?;
        match self.by_name.insert(about.name, Arc::new(registered)) {
            None => Ok(()),
            Some(_) => Err(Error::new(Code::Conflict, format!("{} is there twice", about.name))),
        }
    }

    /// Lets nodes call what plugins offer.
    pub fn set_plugins(&mut self, plugins: Arc<dyn PluginActions>) {
        self.plugins = Some(plugins);
    }

    /// How many calls of each action go on at a time, and how often they begin.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The plugins, where there are any.
    pub fn plugins(&self) -> Option<&dyn PluginActions> {
        self.plugins.as_deref()
    }

    /// The same to keep.
    pub fn shared_plugins(&self) -> Option<Arc<dyn PluginActions>> {
        self.plugins.clone()
    }

    /// What a node runs: one of these, or an action of a plugin, whether that is there or not.
    ///
    /// # Errors
    /// `NOT_FOUND` for none of these; `UNSUPPORTED` for plugins where there are none at all.
    pub fn of_call(&self, call: &Call) -> Result<Arc<Registered>> {
        let Some(of_plugin) = PluginCall::of(call) else {
            return self.get(&call.action).cloned().ok_or_else(|| {
                Error::new(Code::NotFound, format!("there is no action {}", call.action))
                    .hint("`devrig flow actions` lists them.")
            });
        };
        let plugins = self.plugins.clone().ok_or_else(|| {
            Error::new(Code::Unsupported, "there are no plugins here")
                .hint("Use DevRig's own actions.")
        })?;
        let lane = self.limits.lane(&call.action, Some(AT_ONCE));
        crate::actions::plugin::registered(of_plugin, plugins, lane).map(Arc::new)
    }

    /// DevRig's own action of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Registered>> {
        self.by_name.get(name)
    }

    /// All of DevRig's own, by name.
    pub fn all(&self) -> impl Iterator<Item = &Registered> {
        self.by_name.values().map(|each| &**each)
    }
}
