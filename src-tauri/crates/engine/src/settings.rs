//! The settings that exist, with their defaults and what they accept.

use std::collections::BTreeMap;

use devrig_core::{Error, QuietHours, Result, Timestamp};
use devrig_flow::limits;
use devrig_inbox::splits;
use devrig_store::Store;
use serde_json::{Value, json};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub key: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    accepts: Accepts,
}

#[derive(Debug, Clone, Copy)]
enum Accepts {
    OneOf(&'static [&'static str]),
    Whole {
        least: i64,
        most: i64,
        default: i64,
    },
    Flag {
        default: bool,
    },
    /// `22:00-07:00 Europe/Berlin`, or nothing.
    QuietHours,
    /// The path of a folder from the root on, or nothing.
    Folder,
    /// A time, or null.
    Time,
    /// How many calls of actions go on at a time, and begin within a minute.
    ActionLimits,
    /// Names and queries of the person's own views.
    Splits,
    /// Which keys do what, where that differs from the default.
    Keys,
    /// Anything the window keeps for itself, such as the width of its panes.
    Window,
}

/// What the window keeps for itself is at most this long, in bytes of JSON.
const WINDOW_MAX: usize = 16 * 1024;

/// The value of a setting: what is stored, else its default.
///
/// # Errors
/// `NOT_FOUND` for a setting that there is not; what reading meets.
pub(crate) async fn value(store: &Store, key: &str) -> Result<Value> {
    let known = known(key)?;
    let stored = devrig_store::settings::get(store.reader(), key).await?;
    Ok(stored.unwrap_or_else(|| known.default()))
}

/// Every setting; the first of a choice is its default.
pub const KNOWN: &[Setting] = &[
    Setting {
        key: "appearance.theme",
        about: "Light, dark, or as the system has it.",
        accepts: Accepts::OneOf(&["system", "light", "dark"]),
    },
    Setting {
        key: "appearance.density",
        about: "One line or two for each item of the list.",
        accepts: Accepts::OneOf(&["compact", "comfortable"]),
    },
    Setting {
        key: "appearance.textSize",
        about: "Size of the text, in percent.",
        accepts: Accepts::Whole { least: 90, most: 130, default: 100 },
    },
    Setting {
        key: "inbox.afterTriage",
        about: "Where the focus goes after an item leaves the list.",
        accepts: Accepts::OneOf(&["next", "previous", "stay"]),
    },
    Setting {
        key: "notifications.enabled",
        about: "Show native notifications.",
        accepts: Accepts::Flag { default: true },
    },
    Setting {
        key: "notifications.quietHours",
        about: "Hours without notifications, such as 22:00-07:00 Europe/Berlin.",
        accepts: Accepts::QuietHours,
    },
    Setting {
        key: "notifications.pausedUntil",
        about: "No notifications before this time.",
        accepts: Accepts::Time,
    },
    Setting {
        key: "notifications.batchMinutes",
        about: "Minutes that notifications are gathered for; 0 shows them at once.",
        accepts: Accepts::Whole { least: 0, most: 240, default: 0 },
    },
    Setting {
        key: "desktop.closeToTray",
        about: "Closing the window leaves DevRig in the tray, where there is one.",
        accepts: Accepts::Flag { default: true },
    },
    Setting {
        key: crate::triggers::PORT,
        about: "The port on this machine that webhooks are sent to.",
        accepts: Accepts::Whole { least: 1024, most: 65_535, default: 4780 },
    },
    Setting {
        key: crate::files::FOLDER,
        about: "A folder whose *.flow.json files are flows; empty for none.",
        accepts: Accepts::Folder,
    },
    Setting {
        key: crate::files::PUBLISH,
        about: "A file that is saved in that folder goes live where the version before it was.",
        accepts: Accepts::Flag { default: true },
    },
    Setting {
        key: crate::triggers::LIMITS,
        about: "How many calls of an action go on at a time and begin within a minute.",
        accepts: Accepts::ActionLimits,
    },
    Setting {
        key: "desktop.autostart",
        about: "Start DevRig in the tray at login.",
        accepts: Accepts::Flag { default: false },
    },
    Setting {
        key: "appearance.zoom",
        about: "Size of everything in the window, in percent.",
        accepts: Accepts::Whole { least: 80, most: 200, default: 100 },
    },
    Setting {
        key: "keys.single",
        about: "Single letters act as keys.",
        accepts: Accepts::Flag { default: true },
    },
    Setting {
        key: "keys.map",
        about: "Keys of commands, where they are not the default.",
        accepts: Accepts::Keys,
    },
    Setting {
        key: "inbox.splits",
        about: "The person's own views of the inbox.",
        accepts: Accepts::Splits,
    },
    Setting {
        key: "retention.changesDays",
        about: "Days that change rows are kept.",
        accepts: Accepts::Whole { least: 1, most: 3650, default: 90 },
    },
    Setting {
        key: "retention.runsDays",
        about: "Days that runs of flows are kept which completed or were cancelled.",
        accepts: Accepts::Whole { least: 1, most: 3650, default: 90 },
    },
    Setting {
        key: "retention.failedRunsDays",
        about: "Days that runs of flows are kept which failed.",
        accepts: Accepts::Whole { least: 1, most: 3650, default: 365 },
    },
    Setting {
        key: "retention.runsPerFlow",
        about: "How many of a flow's runs are kept, the newest first.",
        accepts: Accepts::Whole { least: 1, most: 100_000_000, default: 1_000_000 },
    },
    Setting {
        key: "onboarding.finished",
        about: "The first run was finished or skipped.",
        accepts: Accepts::Flag { default: false },
    },
    Setting {
        key: "window.layout",
        about: "Widths and folds of the window's panes.",
        accepts: Accepts::Window,
    },
];

/// # Errors
/// `NOT_FOUND` that names the nearest key.
pub fn known(key: &str) -> Result<&'static Setting> {
    KNOWN.iter().find(|setting| setting.key == key).ok_or_else(|| {
        let group = key.split('.').next().unwrap_or_default();
        let near: Vec<&str> =
            KNOWN.iter().map(|s| s.key).filter(|known| known.starts_with(group)).collect();
        let hint = if near.is_empty() || group.is_empty() {
            format!("Known: {}.", KNOWN.iter().map(|s| s.key).collect::<Vec<_>>().join(", "))
        } else {
            format!("Near it: {}.", near.join(", "))
        };
        Error::not_found(format!("the setting {key:?}")).hint(hint)
    })
}

impl Setting {
    pub fn default(&self) -> Value {
        match self.accepts {
            Accepts::OneOf(choices) => json!(choices[0]),
            Accepts::Whole { default, .. } => json!(default),
            Accepts::Flag { default } => json!(default),
            Accepts::QuietHours | Accepts::Folder => json!(""),
            Accepts::Time => Value::Null,
            Accepts::Splits => json!(splits::shipped()),
            Accepts::Keys | Accepts::ActionLimits => json!({}),
            Accepts::Window => Value::Null,
        }
    }

    /// # Errors
    /// `INVALID_INPUT` that says what the setting accepts.
    pub fn check(&self, value: &Value) -> Result<()> {
        let expected = match self.accepts {
            Accepts::OneOf(choices) => {
                if value.as_str().is_some_and(|text| choices.contains(&text)) {
                    return Ok(());
                }
                format!("one of {}", choices.join(", "))
            }
            Accepts::Whole { least, most, .. } => {
                if value.as_i64().is_some_and(|number| (least..=most).contains(&number)) {
                    return Ok(());
                }
                format!("a whole number from {least} to {most}")
            }
            Accepts::Flag { .. } => {
                if value.is_boolean() {
                    return Ok(());
                }
                "true or false".to_owned()
            }
            Accepts::QuietHours => {
                let text = value.as_str().unwrap_or("?");
                match text.is_empty() {
                    true => return Ok(()),
                    false => return text.parse::<QuietHours>().map(drop),
                }
            }
            Accepts::Folder => {
                let plain =
                    |path: &str| path.is_empty() || std::path::Path::new(path).is_absolute();
                if value.as_str().is_some_and(plain) {
                    return Ok(());
                }
                "the path of a folder from the root on, or an empty text".to_owned()
            }
            Accepts::Time => {
                let time = |text: &str| text.parse::<Timestamp>().is_ok();
                if value.is_null() || value.as_str().is_some_and(time) {
                    return Ok(());
                }
                "a time such as 2026-01-31T18:00:00.000Z, or null".to_owned()
            }
            Accepts::Splits => {
                let list = serde_json::from_value::<Vec<splits::Split>>(value.clone());
                if let Ok(list) = list {
                    return splits::validate(&list, devrig_core::SystemClock::shared().now());
                }
                "a list of {name, query}".to_owned()
            }
            Accepts::ActionLimits => return limits::read(value).map(drop),
            Accepts::Keys => {
                let map = serde_json::from_value::<BTreeMap<String, Vec<String>>>(value.clone());
                if map.is_ok() && value.to_string().len() <= WINDOW_MAX {
                    return Ok(());
                }
                "commands with lists of keys, such as {\"done\": [\"d\"]}".to_owned()
            }
            Accepts::Window => {
                if value.to_string().len() <= WINDOW_MAX {
                    return Ok(());
                }
                format!("at most {WINDOW_MAX} bytes of JSON")
            }
        };
        Err(Error::invalid(format!("{} does not accept {value}", self.key))
            .hint(format!("It takes {expected}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_accepted() {
        for setting in KNOWN {
            setting.check(&setting.default()).expect(setting.key);
        }
    }

    #[test]
    fn a_wrong_value_is_told_what_would_be_right() {
        let error = known("appearance.theme").unwrap().check(&json!("blue")).unwrap_err();
        assert!(error.hint.unwrap().contains("system, light, dark"));
        let error = known("appearance.thme").unwrap_err();
        assert!(error.hint.unwrap().contains("appearance.theme"));
    }
}
