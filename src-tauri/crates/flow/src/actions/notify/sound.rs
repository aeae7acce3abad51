//! `notify.sound`.

use std::path::PathBuf;

use async_trait::async_trait;
use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::player::{Played, Player};
use crate::action::{About, Action, Context, Effect};
use crate::actions::compute::unread;

pub(super) const ABOUT: About = About {
    name: "notify.sound",
    title: "Sound",
    text: "Plays a sound for at most ten seconds: one of the desktop's theme by its name, or a \
           `file` that the flow may read. Where it cannot be played, because there is no such \
           sound or no program that plays it, the node goes on, and its output says why.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "sound": {"type": "string", "pattern": "^[a-z0-9-]{1,60}$", "default": "message-new-instant",
                "description": "A name of the freedesktop theme, such as bell, complete or dialog-error."},
            "file": {"type": "string", "minLength": 1, "description": "The path of a sound file, from the root on."}
        }
    }"#,
    output: r#"{"type": "object", "required": ["played"],
        "properties": {"played": {"type": "boolean"}, "with": {"type": "string"}, "why": {"type": "string"}}}"#,
    example: r#"{"sound": "complete"}"#,
    typical_ms: 1500,
    raw: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    #[serde(default = "usual")]
    sound: String,
    file: Option<PathBuf>,
}

fn usual() -> String {
    "message-new-instant".to_owned()
}

pub(super) struct Play {
    pub player: Player,
}

#[async_trait]
impl Action for Play {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let input: Input = serde_json::from_value(input).map_err(|error| unread(&error))?;
        let file = match input.file {
            Some(file) => Some(allowed(file, context).await?),
            None => self.player.named(&input.sound),
        };
        let Some(file) = file else {
            let why = format!("there is no sound {} on this machine", input.sound);
            return Ok(json!({ "played": false, "why": why }));
        };
        Ok(match self.player.play(&file, context.token).await? {
            Played::With(program) => json!({ "played": true, "with": program }),
            Played::Not(why) => json!({ "played": false, "why": why }),
        })
    }
}

/// The file behind all links, which is what the flow must be allowed to read.
async fn allowed(file: PathBuf, context: &Context<'_>) -> Result<PathBuf> {
    if !file.is_absolute() {
        return Err(Error::invalid("file does not begin at the root")
            .hint("Write the whole path, such as /home/kim/sounds/done.wav."));
    }
    // What may not be read is not looked for either.
    context.permissions.read(&file)?;
    let real = tokio::fs::canonicalize(&file)
        .await
        .map_err(|error| Error::from(error).context(format!("the sound {}", file.display())))?;
    context.permissions.read(&real)?;
    if tokio::fs::metadata(&real).await?.is_file() {
        return Ok(real);
    }
    Err(Error::invalid(format!("{} is no file", real.display())).hint("Name a sound file."))
}
