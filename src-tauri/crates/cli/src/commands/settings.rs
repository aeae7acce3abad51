//! DevRig's own settings.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::api::settings::{SettingArgs, SettingSetArgs};
use devrig_engine::{Api, NoArgs};
use serde_json::Value;

use crate::args::Settings;
use crate::output::{Output, table};

pub async fn run(command: Settings, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Settings::Get { key: Some(key) } => {
            let value = api.settings_get(SettingArgs { key }).await?;
            output.show(&value, Value::to_string)
        }
        Settings::Get { key: None } => {
            let all = api.settings_all(NoArgs {}).await?;
            output.show(&all, |all| {
                table(
                    ["SETTING", "VALUE"],
                    all.iter().map(|(key, value)| [key.clone(), value.to_string()]),
                )
            })
        }
        Settings::Set { key, value } => {
            let value = value_of(&value);
            api.settings_set(SettingSetArgs { key: key.clone(), value: value.clone() }).await?;
            output.done(&format!("{key} is {value}"))
        }
    }
}

/// JSON where it is JSON, else the text itself.
pub fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
