//! What the person says of how many calls of actions may go on and begin.

use std::collections::BTreeMap;

use devrig_core::{Context as _, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::action::{Actions, Does};

/// What a limit may say at most.
const MOST: u32 = 100_000;
/// Actions with limits at most.
const ACTIONS: usize = 1_000;
const EXAMPLE: &str = "Write {\"http.request\": {\"atOnce\": 8, \"perMinute\": 60}}.";

/// The bounds of one action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limit {
    /// Calls that go on at a time.
    pub at_once: Option<u32>,
    /// Calls that begin within any minute.
    pub per_minute: Option<u32>,
}

/// By the names of actions.
pub type Given = BTreeMap<String, Limit>;

/// Reads limits as the setting has them.
///
/// # Errors
/// `INVALID_INPUT` that names the action.
pub fn read(value: &Value) -> Result<Given> {
    let by_name: Map<String, Value> = serde_json::from_value(value.clone()).map_err(|error| {
        Error::invalid(format!("no limits by the names of actions: {error}")).hint(EXAMPLE)
    })?;
    if by_name.len() > ACTIONS {
        return Err(Error::invalid(format!("limits of {} actions are too many", by_name.len()))
            .hint(format!("Limit at most {ACTIONS}.")));
    }
    let limit = |(action, value): (String, Value)| {
        let limit = one(value).context(format!("the limit of {action}"))?;
        Ok((action, limit))
    };
    by_name.into_iter().map(limit).collect()
}

fn one(value: Value) -> Result<Limit> {
    let limit: Limit = serde_json::from_value(value)
        .map_err(|error| Error::invalid(error.to_string()).hint(EXAMPLE))?;
    let numbers = limit.at_once.into_iter().chain(limit.per_minute);
    match numbers.into_iter().find(|number| !(1..=MOST).contains(number)) {
        Some(odd) => Err(Error::invalid(format!("{odd} is no limit"))
            .hint(format!("A limit is a whole number from 1 to {MOST}."))),
        None => Ok(limit),
    }
}

impl Actions {
    /// Checks that limits are of actions which can have one. Those of plugins may be missing: plugins
    /// come and go.
    ///
    /// # Errors
    /// `INVALID_INPUT` that names the action.
    pub fn check_limits(&self, given: &Given) -> Result<()> {
        given.keys().try_for_each(|name| self.check_limited(name))
    }

    fn check_limited(&self, name: &str) -> Result<()> {
        let (wrong, hint) = match self.get(name).map(|action| &action.does) {
            Some(Does::Work(_)) => return Ok(()),
            Some(Does::Pure(_)) => ("only computes, so it has no limit", "Leave it out."),
            Some(Does::Control(_)) => {
                ("only steers, so it has no limit", "Limit the actions that the flow calls.")
            }
            None if self.is_own_category(name) => {
                ("is no action", "`devrig flow actions` lists them.")
            }
            None => return Ok(()),
        };
        Err(Error::invalid(format!("{name} {wrong}")).hint(hint))
    }

    fn is_own_category(&self, name: &str) -> bool {
        let category = |name: &str| name.split_once('.').map(|(category, _)| category.to_owned());
        let wanted = category(name);
        self.all().any(|action| category(action.about.name) == wanted)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_limit_is_told_with_its_action() {
        for (value, part) in [
            (json!([]), "no limits"),
            (json!({"a.b": 5}), "a.b"),
            (json!({"a.b": {"atOnce": 0}}), "a.b: 0 is no limit"),
            (json!({"a.b": {"atOnce": 1.5}}), "the limit of a.b"),
            (json!({"a.b": {"atOnce": -1}}), "the limit of a.b"),
            (json!({"a.b": {"perMinute": 100_001}}), "a.b: 100001"),
            (json!({"a.b": {"perHour": 1}}), "perHour"),
        ] {
            let error = read(&value).unwrap_err();
            assert!(error.to_string().contains(part) && error.hint.is_some(), "{error}");
        }
        let many: Map<String, Value> =
            (0..=ACTIONS).map(|number| (format!("a.b{number}"), json!({}))).collect();
        assert!(read(&Value::Object(many)).unwrap_err().message.contains("too many"));
        assert!(read(&json!({})).unwrap().is_empty());
    }

    #[test]
    fn only_what_reaches_out_has_a_limit() {
        let actions = crate::actions::builtin().unwrap();
        let check = |name: &str| actions.check_limits(&read(&json!({name: {"atOnce": 1}}))?);
        for (name, part) in [
            ("data.set", "data.set only computes"),
            ("flow.loop", "flow.loop only steers"),
            ("shell.exce", "shell.exce is no action"),
        ] {
            let error = check(name).unwrap_err();
            assert!(error.message.contains(part) && error.hint.is_some(), "{error}");
        }
        assert!(check("shell.exec").is_ok());
        assert!(check("github.merge").is_ok(), "its plugin may come");
    }
}
