//! `sqlite.query`: a database of the person's own.

mod connection;
mod fault;
mod rows;

use std::time::Duration;

use devrig_core::{Code, Context as _, Error, Result};
use rusqlite::Batch;
use rusqlite::fallible_iterator::FallibleIterator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::fault::told;
use super::blocking::{Blocking, Scene, add};
use crate::action::{About, Actions, Effect, Stakes};
use crate::permissions::Wanted;
use crate::place::{self, Spot};

const ABOUT: About = About {
    name: "sqlite.query",
    title: "Ask a database",
    text: "Runs one statement of SQL on a SQLite file and gives its rows as objects. Values of a \
           flow go into `params` and stand as `?` or `:name` in the statement, which is no \
           template: so nothing in a value is ever read as SQL. A blob is `{\"base64\": \"…\"}`, \
           both ways.\n\n\
           Only with `write` can the statement change anything, in a file that is there; after a \
           crash in the middle the run then waits for your decision. Other files can be neither \
           attached nor written, and nothing is loaded. The flow must be allowed `read:` or \
           `write:` of the file.",
    effect: Effect::Write,
    idempotent: false,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path", "sql"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "The file."},
            "sql": {"type": "string", "minLength": 1, "maxLength": 1000000, "description": "One statement. Not a template: values go into `params`."},
            "params": {"type": ["array", "object"], "default": [], "description": "By their place, or by name."},
            "write": {"type": "boolean", "default": false, "description": "Whether the statement may change the file."},
            "maxRows": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 1000,
                "description": "At most so many rows; `more` says whether there are others."},
            "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 600000, "default": 30000,
                "description": "How long it may take."}}}"#,
    output: r#"{"type": "object", "required": ["columns", "rows", "more", "changes"], "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object"}},
        "more": {"type": "boolean"}, "changes": {"type": "integer"}, "lastRowId": {"type": "integer"}}}"#,
    example: r#"{"path": "~/data/lamps.db", "sql": "SELECT id, name FROM lamp WHERE room = :room",
        "params": {"room": "{{trigger.payload.room}}"}}"#,
    typical_ms: 5,
    raw: &["sql"],
};

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    add::<Query>(actions)
}

struct Query;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    path: String,
    sql: String,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    write: bool,
    max_rows: Option<usize>,
    timeout_ms: Option<u64>,
}

impl Blocking for Query {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let path = place::absolute(&config.path).and_then(|path| place::resolve(&path));
        let path = path.context("path")?;
        match config.write {
            true => scene.permissions.write(&path)?,
            false => scene.permissions.read(&path)?,
        }
        // A pipe would be waited for, and a link that was put there since is refused.
        Spot::reach(&path, false)?.open()?;
        let timeout = Duration::from_millis(config.timeout_ms.unwrap_or(30_000));
        let connection = connection::open(&path, config.write, timeout, scene)?;
        let mut batch = Batch::new(&connection, &config.sql);
        let mut next = || FallibleIterator::next(&mut batch);
        let statement = next().map_err(|error| told(error, scene, timeout))?;
        let mut statement =
            statement.ok_or_else(|| Error::invalid("sql: there is no statement"))?;
        // Whatever is wrong with another one: it is there.
        if !matches!(next(), Ok(None)) {
            return Err(Error::invalid("sql: there is more than one statement")
                .hint("Use a node for each of them."));
        }
        if !config.write && !statement.readonly() {
            return Err(Error::new(Code::Refused, "sql: the statement would change the file")
                .hint("If it should, set `write`."));
        }
        rows::bind(&mut statement, &config.params)?;
        let before = connection.total_changes();
        let most = config.max_rows.unwrap_or(1000);
        let found = rows::read(&mut statement, most);
        let mut output = found.map_err(|wrong| wrong.told(scene, timeout))?;
        drop(statement);
        output.insert("changes".to_owned(), json!(connection.total_changes() - before));
        if config.write {
            output.insert("lastRowId".to_owned(), json!(connection.last_insert_rowid()));
        }
        Ok(Value::Object(output))
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        let wanted = match config.get("write") {
            Some(Value::Bool(true)) => Wanted::write(config, "path"),
            _ => Wanted::read(config, "path"),
        };
        wanted.into_iter().collect()
    }

    fn stakes(input: &Value, _usual: Stakes) -> Stakes {
        match input["write"] == true {
            true => Stakes { effect: Effect::Write, idempotent: false },
            false => Stakes { effect: Effect::Read, idempotent: true },
        }
    }
}

#[cfg(test)]
mod tests;
