//! `file.move`

use devrig_core::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Effect};
use crate::actions::blocking::{Blocking, Scene};
use crate::permissions::Wanted;
use crate::place::{self, Over, Spot};

const ABOUT: About = About {
    name: "file.move",
    title: "Move a file",
    text: "Moves or renames a file, a folder or a link (not what it leads to). `to` is its new \
           path, name included. The flow must be allowed `write:` of both places.",
    effect: Effect::Write,
    idempotent: false,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["from", "to"],
        "properties": {
            "from": {"type": "string", "minLength": 1, "description": "What is moved."},
            "to": {"type": "string", "minLength": 1, "description": "Where it is then."},
            "overwrite": {"type": "boolean", "default": false, "description": "Whether it takes the place of a file that is there."},
            "folders": {"type": "boolean", "default": true, "description": "Whether folders that are missing are made."}}}"#,
    output: r#"{"type": "object", "required": ["from", "to"],
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}}}"#,
    example: r#"{"from": "~/inbox/scan.pdf", "to": "~/archive/2026/scan.pdf"}"#,
    typical_ms: 2,
    raw: &[],
};

pub(super) struct Move;

/// From one place to another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub from: String,
    pub to: String,
    #[serde(default)]
    overwrite: bool,
    pub folders: Option<bool>,
}

impl Config {
    pub fn over(&self) -> Over {
        if self.overwrite { Over::Replace } else { Over::Refuse }
    }
}

impl Blocking for Move {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let from = super::to_remove(&config.from, "from", scene)?;
        let to = place::absolute(&config.to).and_then(|path| place::resolve_entry(&path));
        let to = to.context("to")?;
        scene.permissions.write(&to)?;
        let source = Spot::reach(&from, false)?;
        let target = Spot::reach(&to, config.folders.unwrap_or(true))?;
        source.relocate(&target, config.over(), || scene.go_on())?;
        Ok(json!({ "from": from, "to": to }))
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        let both = [Wanted::write(config, "from"), Wanted::write(config, "to")];
        both.into_iter().flatten().collect()
    }
}
