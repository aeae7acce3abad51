//! `file.read`

use devrig_core::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::form::Form;
use crate::action::{About, Effect};
use crate::actions::blocking::{Blocking, Scene};
use crate::permissions::Wanted;
use crate::place::{Spot, modified};

const ABOUT: About = About {
    name: "file.read",
    title: "Read a file",
    text: "Gives the content of a file, as text (UTF-8), as what its JSON says, or any bytes as \
           base64. The flow must be allowed `read:` of the file or a folder above it. Links are \
           followed first, and what they lead to has to be allowed.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "From the root on, or from the home folder with `~/`."},
            "as": {"enum": ["text", "json", "base64"], "default": "text", "description": "How the content is given."},
            "maxBytes": {"type": "integer", "minimum": 0, "maximum": 8388608, "default": 8388608,
                "description": "A larger file is an error."}}}"#,
    output: r#"{"type": "object", "required": ["path", "content", "bytes", "modifiedAt"],
        "properties": {"path": {"type": "string"}, "content": {},
            "bytes": {"type": "integer"}, "modifiedAt": {"type": "string"}}}"#,
    example: r#"{"path": "~/notes/today.json", "as": "json"}"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Read;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Config {
    path: String,
    #[serde(rename = "as")]
    form: Option<Form>,
    max_bytes: Option<usize>,
}

impl Blocking for Read {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let path = super::to_read(&config.path, "path", scene)?;
        let most = config.max_bytes.unwrap_or(8 * 1024 * 1024);
        let (bytes, stat) = Spot::reach(&path, false)?.read(most)?;
        let size = bytes.len();
        let form = config.form.unwrap_or(Form::Text);
        let content = form.read(bytes).context(path.display())?;
        let changed = modified(&stat);
        Ok(json!({"path": path, "content": content, "bytes": size, "modifiedAt": changed}))
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        Wanted::read(config, "path").into_iter().collect()
    }
}
