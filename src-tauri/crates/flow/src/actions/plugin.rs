//! Actions of plugins: whatever a plugin offers, done by its own worker.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::{Error, Result};
use serde_json::Value;

use crate::action::{About, Action, Context, Does, Effect, Level, Registered, Stakes};
use crate::limits::Lane;
use crate::others::item_of;
use crate::plugins::{PluginActions, PluginCall, PluginDeed};
use crate::shape;

/// Of a plugin that is not here nothing is known, so that everything is thought possible.
const ABOUT: About = About {
    name: "plugin",
    title: "Action of a plugin",
    text: "Does what a plugin offers.",
    effect: Effect::Write,
    idempotent: false,
    input: r#"{"type": "object"}"#,
    output: "{}",
    example: "{}",
    typical_ms: 500,
    raw: &[],
};

/// What a node runs that calls an action of a plugin. The plugin need not be there: it may come,
/// go and be updated while flows that use it stay as they are.
///
/// # Errors
/// `INTERNAL` when it describes itself wrongly.
pub(crate) fn registered(
    call: PluginCall,
    plugins: Arc<dyn PluginActions>,
    lane: Arc<Lane>,
) -> Result<Registered> {
    Registered::new(ABOUT, Does::Work(Arc::new(OfPlugin { call, plugins })), lane)
}

struct OfPlugin {
    call: PluginCall,
    plugins: Arc<dyn PluginActions>,
}

#[async_trait]
impl Action for OfPlugin {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        context.permissions.plugin(&self.call.plugin)?;
        let (input, item) = self.without_item(input)?;
        let told_of = item_of(context.data).map(|id| id.0);
        let (call, key) = (self.call.clone(), context.key.to_owned());
        let deed = PluginDeed { call, input, item, told_of, key, depth: context.depth };
        let output = self.plugins.perform(deed, context.token).await?;
        self.warn_of(&output, context);
        Ok(output)
    }

    fn stakes(&self, _input: &Value, usual: Stakes) -> Stakes {
        let about = self.plugins.about(&self.call.plugin, &self.call.action);
        about.map_or(usual, |about| about.stakes())
    }

    fn target(&self, _input: &Value) -> Option<String> {
        Some(format!("plugin {}", self.call.plugin))
    }

    fn of_plugin(&self) -> Option<&PluginCall> {
        Some(&self.call)
    }
}

impl OfPlugin {
    fn without_item(&self, mut input: Value) -> Result<(Value, Option<String>)> {
        let about = self.plugins.about(&self.call.plugin, &self.call.action);
        let (Some(about), Some(config)) = (about, input.as_object_mut()) else {
            return Ok((input, None));
        };
        match about.take_item(config) {
            None | Some(Value::Null) => Ok((input, None)),
            Some(Value::String(id)) => Ok((input, Some(id))),
            Some(_) => Err(Error::invalid("itemId is no text").hint("Give the id of an item.")),
        }
    }

    /// What was done stays done: a plugin that does not keep its own word is no reason to fail.
    fn warn_of(&self, output: &Value, context: &Context<'_>) {
        let PluginCall { plugin, action, .. } = &self.call;
        let about = self.plugins.about(plugin, action);
        let Some(schema) = about.and_then(|about| about.output) else { return };
        if let Some(wrong) = shape::first_wrong(&schema, output) {
            let message = format!("{action} gave something else than its schema says: {wrong}");
            context.log.say(Level::Warn, &message);
        }
    }
}
