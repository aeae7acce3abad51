//! `file.copy`

use devrig_core::Result;
use serde_json::{Map, Value, json};

use super::relocate::Config;
use crate::action::{About, Effect, Stakes};
use crate::actions::blocking::{Blocking, Scene};
use crate::permissions::Wanted;
use crate::place::Spot;

const ABOUT: About = About {
    name: "file.copy",
    title: "Copy a file",
    text: "Copies a file of any size, whole or not at all. `to` is the path of the copy, name \
           included. The flow must be allowed `read:` of the one and `write:` of the other.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["from", "to"],
        "properties": {
            "from": {"type": "string", "minLength": 1, "description": "What is copied."},
            "to": {"type": "string", "minLength": 1, "description": "Where the copy is."},
            "overwrite": {"type": "boolean", "default": false, "description": "Whether it takes the place of a file that is there."},
            "folders": {"type": "boolean", "default": true, "description": "Whether folders that are missing are made."}}}"#,
    output: r#"{"type": "object", "required": ["from", "to", "bytes"],
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}, "bytes": {"type": "integer"}}}"#,
    example: r#"{"from": "~/reports/today.json", "to": "~/backup/today.json", "overwrite": true}"#,
    typical_ms: 5,
    raw: &[],
};

pub(super) struct Copy;

impl Blocking for Copy {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let from = super::to_read(&config.from, "from", scene)?;
        let to = super::to_write(&config.to, "to", scene)?;
        let (file, stat) = Spot::reach(&from, false)?.open()?;
        let target = Spot::reach(&to, config.folders.unwrap_or(true))?;
        target.store(file, config.over(), || scene.go_on())?;
        Ok(json!({ "from": from, "to": to, "bytes": stat.st_size }))
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        let both = [Wanted::read(config, "from"), Wanted::write(config, "to")];
        both.into_iter().flatten().collect()
    }

    fn stakes(input: &Value, usual: Stakes) -> Stakes {
        Stakes { idempotent: input["overwrite"] == true, ..usual }
    }
}
