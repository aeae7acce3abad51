//! `file.transform`

use devrig_core::{Context, Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::form;
use super::write::{Mode, repeats, store};
use crate::action::{About, Effect, Stakes};
use crate::actions::blocking::{Blocking, Scene};
use crate::actions::bounds::MOST_BYTES;
use crate::actions::data::{self, Format};
use crate::permissions::Wanted;
use crate::place::Spot;

const ABOUT: About = About {
    name: "file.transform",
    title: "Transform a file",
    text: "Reads a file in one format, may make something else of it, and gives it or writes it in \
           another format.\n\n\
           - `read` says how it is read: `csv`, `xml`, `yaml`, `json` or `text`, with the fields \
           that `data.csv` and its like take, such as `delimiter`\n\
           - `make` is an expression as `data.transform` takes it, on what was read\n\
           - `write` says where it is written, and how; without it the node gives `value`\n\n\
           The flow must be allowed `read:` of the one file and `write:` of the other.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path", "read"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "The file that is read."},
            "read": {"type": "object", "required": ["format"], "description": "How it is read.",
                "properties": {"format": {"enum": ["csv", "xml", "yaml", "json", "text"]}}},
            "make": {"type": "object", "required": ["language", "expression"], "description": "What is made of it.",
                "properties": {"language": {"enum": ["jsonpath", "jmespath", "template"]}, "expression": {"type": "string"}}},
            "write": {"type": "object", "required": ["path", "format"], "description": "Where and how it is written.",
                "properties": {"path": {"type": "string", "minLength": 1},
                    "format": {"enum": ["csv", "xml", "yaml", "json", "text"]},
                    "mode": {"enum": ["replace", "create", "append"], "default": "replace"},
                    "folders": {"type": "boolean", "default": true}}}}}"#,
    output: r#"{"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}, "value": {},
        "bytes": {"type": "integer"}, "created": {"type": "boolean"}}}"#,
    example: r#"{"path": "~/data/people.csv", "read": {"format": "csv", "delimiter": ";"},
        "make": {"language": "jmespath", "expression": "[?town == 'Bern']"},
        "write": {"path": "~/data/bern.yaml", "format": "yaml"}}"#,
    typical_ms: 10,
    raw: &[],
};

pub(super) struct Transform;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    path: String,
    read: Formatted,
    make: Option<Map<String, Value>>,
    write: Option<Written>,
}

/// A format with what else it takes.
#[derive(Deserialize)]
struct Formatted {
    format: Named,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Deserialize)]
struct Written {
    path: String,
    #[serde(default)]
    mode: Mode,
    #[serde(default = "yes")]
    folders: bool,
    #[serde(flatten)]
    formatted: Formatted,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Csv,
    Xml,
    Yaml,
    Json,
    Text,
}

impl Blocking for Transform {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let path = super::to_read(&config.path, "path", scene)?;
        let (bytes, _) = Spot::reach(&path, false)?.read(MOST_BYTES)?;
        let text = form::text(bytes).context(path.display())?;
        let read = config.read.parse(text).context("read")?;
        scene.go_on()?;
        let made = match config.make {
            Some(mut make) => {
                make.insert("value".to_owned(), read);
                data::transform(Value::Object(make)).context("make")?
            }
            None => read,
        };
        match config.write {
            None => Ok(json!({ "path": path, "value": made })),
            Some(Written { path, mode, folders, formatted }) => {
                let bytes = formatted.write(made).context("write")?;
                store(&path, "write.path", &bytes, mode, folders, scene)
            }
        }
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        let written = config.get("write").and_then(Value::as_object);
        let written = written.and_then(|write| Wanted::write(write, "path"));
        let written = written.map(|wanted| Wanted { field: "write.path".to_owned(), ..wanted });
        Wanted::read(config, "path").into_iter().chain(written).collect()
    }

    fn stakes(input: &Value, usual: Stakes) -> Stakes {
        match input.get("write") {
            Some(write) => Stakes { idempotent: repeats(&write["mode"]), ..usual },
            None => Stakes { effect: Effect::Read, idempotent: true },
        }
    }
}

impl Named {
    fn of_data(self) -> Option<Format> {
        match self {
            Self::Csv => Some(Format::Csv),
            Self::Xml => Some(Format::Xml),
            Self::Yaml => Some(Format::Yaml),
            Self::Json | Self::Text => None,
        }
    }
}

impl Formatted {
    fn parse(self, text: String) -> Result<Value> {
        match self.format {
            Named::Text => self.alone().map(|()| Value::String(text)),
            Named::Json => self.alone().and_then(|()| form::json(&text)),
            _ => self.convert("parse", "text", Value::String(text)),
        }
    }

    fn write(self, value: Value) -> Result<Vec<u8>> {
        let text = match (self.format, value) {
            (Named::Json, value) => return self.alone().and_then(|()| form::written(&value)),
            (Named::Text, Value::String(text)) => return self.alone().map(|()| text.into_bytes()),
            (Named::Text, _) => {
                return Err(Error::invalid("it is no text").hint("Write it as json."));
            }
            (Named::Csv, value) => self.convert("write", "items", value)?,
            (_, value) => self.convert("write", "value", value)?,
        };
        match text {
            Value::String(text) => Ok(text.into_bytes()),
            other => Err(Error::internal(format!("a format gave {other}"))),
        }
    }

    /// As the action of the format does it.
    fn convert(self, operation: &str, field: &str, value: Value) -> Result<Value> {
        let mut config = self.more;
        config.insert("operation".to_owned(), json!(operation));
        config.insert(field.to_owned(), value);
        match self.format.of_data() {
            Some(format) => data::convert(format, Value::Object(config)),
            None => Err(Error::internal("not a format of its own")),
        }
    }

    fn alone(&self) -> Result<()> {
        match self.more.keys().next() {
            None => Ok(()),
            Some(name) => Err(Error::invalid(format!("the format takes no {name:?}"))),
        }
    }
}
