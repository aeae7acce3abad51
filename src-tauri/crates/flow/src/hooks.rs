//! Hooks of plugins around what nodes do outside: asked before it, told after it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Code, Error};
use serde_json::{Map, Value};

use crate::action::Effect;
use crate::payloads::{LARGE, weight};

/// Fields that are named as left out. Of an input with more of them nothing is shown.
const MOST_LEFT_OUT: usize = 100;
/// In bytes.
const LONGEST_NAME: usize = 200;

/// The plugins of this machine, for hooks around actions.
#[async_trait]
pub trait PluginHooks: Send + Sync {
    /// Whether there are any. It is asked before each action, so it has to cost next to nothing.
    fn any(&self) -> bool;

    /// Which there are around an action.
    fn around(&self, action: &HookedAction) -> Around;

    /// Asks all that want to be asked, at once. The answers come soon, whatever plugins do.
    async fn before(&self, call: &Arc<HookCall>) -> HookAnswers;

    /// Hands over how it went, and waits for nobody.
    fn after(&self, call: Arc<HookCall>, outcome: HookOutcome);
}

/// An action as hooks name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookedAction {
    /// Absent for one of DevRig's own.
    pub plugin: Option<String>,
    pub name: String,
}

impl std::fmt::Display for HookedAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.plugin {
            Some(plugin) => write!(f, "{} of {plugin}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Which hooks an action has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    pub before: bool,
    pub after: bool,
}

impl Around {
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// One attempt of an action, without secrets.
#[derive(Debug, Clone)]
pub struct HookCall {
    /// The id and the name of the flow.
    pub flow: (String, String),
    pub run: String,
    /// The path of the node.
    pub node: String,
    /// Counts from 1.
    pub attempt: u32,
    pub action: HookedAction,
    pub effect: Effect,
    /// Without the fields that are left out.
    pub input: Value,
    /// The fields of the input that are too large to be shown; `input` for all of it.
    pub left_out: Vec<String>,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
}

/// How an attempt went, without secrets.
#[derive(Debug, Clone)]
pub struct HookOutcome {
    /// Absent where it went well.
    pub error: Option<Error>,
    pub took: Duration,
    /// Absent where there is none, or where it is too large.
    pub output: Option<Value>,
    pub output_left_out: bool,
}

/// What hooks say before an action.
#[derive(Debug, Clone, Default)]
pub struct HookAnswers {
    /// The first of those who do not want it done, by plugin.
    pub refused: Option<Refusal>,
    /// Those who said nothing of use, which lets the action pass.
    pub silent: Vec<Silence>,
}

/// Why a plugin does not want an action done.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The plugin's name.
    pub plugin: String,
    pub reason: String,
}

impl Refusal {
    /// As the error of the node.
    pub fn into_error(self, action: &HookedAction) -> Error {
        let Self { plugin, reason } = self;
        let message = format!("the plugin {plugin} refuses {action}: {reason}");
        Error::new(Code::Refused, message).hint(format!(
            "Do what the plugin asks for, or let it refuse nothing any more: \
             `devrig plugin revoke {plugin} flows:hooks`."
        ))
    }
}

/// A plugin that gave no answer.
#[derive(Debug, Clone)]
pub struct Silence {
    /// The plugin's name.
    pub plugin: String,
    pub why: Error,
    /// For how long it is not asked any more, where that begins now.
    pub rests: Option<Duration>,
}

impl Silence {
    /// As a line of the run's log.
    pub fn told(&self, action: &HookedAction) -> String {
        let Self { plugin, why, rests } = self;
        let told = format!("the hook of {plugin} said nothing, so {action} goes on: {why}");
        match rests {
            Some(rests) => format!("{told}; it is not asked for {} s now", rests.as_secs()),
            None => told,
        }
    }
}

/// What of an input is shown to hooks, and the names of the fields that are not: the largest ones,
/// where it is too large as a whole.
pub(crate) fn shown(input: &Value) -> (Value, Vec<String>) {
    if weight(input) <= LARGE {
        return (input.clone(), Vec::new());
    }
    let Value::Object(fields) = input else { return nothing() };
    let mut by_weight: Vec<(usize, &String)> =
        fields.iter().map(|(name, value)| (name.len() + weight(value), name)).collect();
    by_weight.sort_unstable();
    let mut room = LARGE;
    let fits = |(weight, _): &(usize, &String)| match room.checked_sub(*weight) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let (kept, left_out) = by_weight.split_at(by_weight.iter().copied().take_while(fits).count());
    let is_long = |(_, name): &(usize, &String)| name.len() > LONGEST_NAME;
    if left_out.len() > MOST_LEFT_OUT || left_out.iter().any(is_long) {
        return nothing();
    }
    let mut left_out: Vec<String> = left_out.iter().map(|(_, name)| (*name).clone()).collect();
    left_out.sort_unstable();
    let kept: Map<String, Value> =
        kept.iter().map(|(_, name)| ((*name).clone(), fields[*name].clone())).collect();
    (Value::Object(kept), left_out)
}

fn nothing() -> (Value, Vec<String>) {
    (Value::Object(Map::new()), vec!["input".to_owned()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(bytes: usize) -> String {
        "x".repeat(bytes)
    }

    #[test]
    fn what_is_too_large_loses_its_largest_fields() {
        let small = json!({"url": "https://a.test", "body": text(60_000)});
        assert_eq!(shown(&small), (small.clone(), vec![]));
        let large = json!({"url": "https://a.test", "body": text(70_000), "file": text(90_000)});
        let (input, left_out) = shown(&large);
        assert_eq!(input, json!({"url": "https://a.test"}));
        assert_eq!(left_out, ["body", "file"]);
        let together = json!({"a": text(30_000), "b": text(40_000), "c": 1});
        assert_eq!(shown(&together).1, ["b"], "no more than has to be");
    }

    #[test]
    fn what_has_no_end_of_large_fields_is_not_shown_at_all() {
        let fields = |count: usize, bytes: usize| -> Value {
            (0..count).map(|n| (format!("f{n}"), json!(text(bytes)))).collect::<Map<_, _>>().into()
        };
        let long = json!({ text(300): text(LARGE) });
        for input in [fields(200, 65_600), fields(100_000, 1), long, json!([text(LARGE)])] {
            assert_eq!(shown(&input), (json!({}), vec!["input".to_owned()]));
        }
    }

    #[test]
    fn a_refusal_names_who_what_why_and_the_remedy() {
        let action = HookedAction { plugin: Some("desk".to_owned()), name: "desk.open".to_owned() };
        let refusal = Refusal { plugin: "guard".to_owned(), reason: "not at night".to_owned() };
        let error = refusal.into_error(&action);
        assert_eq!(error.message, "the plugin guard refuses desk.open of desk: not at night");
        assert!(error.code == Code::Refused && !error.retryable, "{error:?}");
        assert!(error.hint.unwrap().contains("devrig plugin revoke guard flows:hooks"));
    }
}
