//! `file.write`

use devrig_core::Result;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::form::Form;
use crate::action::{About, Effect, Stakes};
use crate::actions::blocking::{Blocking, Scene};
use crate::permissions::Wanted;
use crate::place::{Over, Spot};

const ABOUT: About = About {
    name: "file.write",
    title: "Write a file",
    text: "Writes a file. With the mode `replace` a new one takes the place of what was there, \
           whole or not at all, and keeps its permissions; `create` refuses where one is; `append` \
           adds to its end. It is on the disk when the node has ended. The flow must be allowed \
           `write:` of the file or a folder above it.\n\n\
           A crash in the middle of `replace` leads to the same file written again; after one in \
           `create` or `append` the run waits for your decision.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path", "content"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "From the root on, or from the home folder with `~/`."},
            "content": {"description": "Text as it is, anything else as JSON."},
            "as": {"enum": ["text", "json", "base64"], "description": "How the content is given; by its type unless told."},
            "mode": {"enum": ["replace", "create", "append"], "default": "replace", "description": "What becomes of a file that is there."},
            "folders": {"type": "boolean", "default": true, "description": "Whether folders that are missing are made."}}}"#,
    output: r#"{"type": "object", "required": ["path", "bytes", "created"],
        "properties": {"path": {"type": "string"}, "bytes": {"type": "integer"}, "created": {"type": "boolean"}}}"#,
    example: r#"{"path": "~/reports/{{run.id}}.json", "content": {"count": "{{nodes.count.output}}"}}"#,
    typical_ms: 5,
    raw: &[],
};

pub(super) struct Write;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    path: String,
    content: Value,
    #[serde(rename = "as")]
    form: Option<Form>,
    #[serde(default)]
    mode: Mode,
    folders: Option<bool>,
}

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mode {
    #[default]
    Replace,
    Create,
    Append,
}

impl Blocking for Write {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let usual = if config.content.is_string() { Form::Text } else { Form::Json };
        let bytes = config.form.unwrap_or(usual).write(&config.content)?;
        store(&config.path, "path", &bytes, config.mode, config.folders.unwrap_or(true), scene)
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        Wanted::write(config, "path").into_iter().collect()
    }

    fn stakes(input: &Value, usual: Stakes) -> Stakes {
        Stakes { idempotent: repeats(&input["mode"]), ..usual }
    }
}

/// Whether writing twice in this mode is the same as once.
pub(super) fn repeats(mode: &Value) -> bool {
    matches!(mode.as_str(), None | Some("replace"))
}

/// Writes a file, and gives what is told of it.
pub(super) fn store(
    path: &str,
    field: &str,
    bytes: &[u8],
    mode: Mode,
    folders: bool,
    scene: &Scene,
) -> Result<Value> {
    let path = super::to_write(path, field, scene)?;
    let spot = Spot::reach(&path, folders)?;
    let goes_on = || scene.go_on();
    let created = match mode {
        Mode::Replace => spot.store(bytes, Over::Replace, goes_on)?,
        Mode::Create => spot.store(bytes, Over::Refuse, goes_on)?,
        Mode::Append => spot.append(bytes)?,
    };
    Ok(json!({"path": path, "bytes": bytes.len(), "created": created}))
}
