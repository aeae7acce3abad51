//! Values into a statement, and rows out of it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devrig_core::{Error, Result};
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Error as SqliteError, Row, Statement};
use serde_json::{Map, Number, Value, json};

use super::fault;
use crate::actions::blocking::Scene;
use crate::actions::bounds::Room;

/// Why there are no rows.
pub(super) enum Wrong {
    Sqlite(SqliteError),
    Ours(Error),
}

impl Wrong {
    pub fn told(self, scene: &Scene, timeout: Duration) -> Error {
        match self {
            Self::Sqlite(error) => fault::told(error, scene, timeout),
            Self::Ours(error) => error,
        }
    }
}

impl From<SqliteError> for Wrong {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// Gives each parameter its value; one without is as much an error as a value without a parameter.
pub(super) fn bind(statement: &mut Statement<'_>, params: &Value) -> Result<()> {
    let count = statement.parameter_count();
    match params {
        Value::Object(named) => bind_named(statement, named, count),
        Value::Array(list) if list.len() == count => {
            list.iter().enumerate().try_for_each(|(at, value)| set(statement, at + 1, value))
        }
        Value::Null if count == 0 => Ok(()),
        other => {
            let given = other.as_array().map_or(0, Vec::len);
            Err(Error::invalid(format!(
                "params: the statement takes {count}, and {given} are given"
            ))
            .hint("Give a list for ?, or an object for :name."))
        }
    }
}

fn bind_named(
    statement: &mut Statement<'_>,
    named: &Map<String, Value>,
    count: usize,
) -> Result<()> {
    let mut taken = 0;
    for at in 1..=count {
        let name = statement.parameter_name(at).unwrap_or("?").to_owned();
        let value = named.get(name.trim_start_matches([':', '@', '$'])).ok_or_else(|| {
            Error::invalid(format!("params: the statement takes {name}, which is not given"))
        })?;
        set(statement, at, value)?;
        taken += 1;
    }
    match named.len() > taken {
        true => Err(Error::invalid(format!(
            "params: the statement takes {taken}, and {} are given",
            named.len()
        ))),
        false => Ok(()),
    }
}

fn set(statement: &mut Statement<'_>, at: usize, value: &Value) -> Result<()> {
    let value = to_sql(value).map_err(|error| error.context(format_args!("params: {at}")))?;
    statement
        .raw_bind_parameter(at, value)
        .map_err(|error| Error::invalid(format!("params: {error}")))
}

fn to_sql(value: &Value) -> Result<Sql> {
    Ok(match value {
        Value::Null => Sql::Null,
        Value::Bool(flag) => Sql::Integer((*flag).into()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Sql::Integer(whole),
            None => Sql::Real(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Sql::Text(text.clone()),
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("base64") => {
            let text = fields["base64"].as_str().unwrap_or_default();
            let bytes = STANDARD.decode(text);
            Sql::Blob(bytes.map_err(|error| Error::invalid(format!("it is no base64: {error}")))?)
        }
        other => Sql::Text(other.to_string()),
    })
}

/// `columns`, `rows` and `more`.
pub(super) fn read(
    statement: &mut Statement<'_>,
    most: usize,
) -> Result<Map<String, Value>, Wrong> {
    let columns = names(statement);
    let mut room = Room::for_output();
    let (mut found, mut more) = (Vec::new(), false);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if found.len() == most {
            more = true;
            break;
        }
        let row = Value::Object(object(row, &columns)?);
        room.take_value(&row)?;
        found.push(row);
    }
    let fields =
        [("columns", json!(columns)), ("rows", Value::Array(found)), ("more", json!(more))];
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Each once: `id`, `id_2`.
fn names(statement: &Statement<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in statement.column_names() {
        let mut own = name.to_owned();
        let mut count = 1;
        while names.contains(&own) {
            count += 1;
            own = format!("{name}_{count}");
        }
        names.push(own);
    }
    names
}

fn object(row: &Row<'_>, columns: &[String]) -> rusqlite::Result<Map<String, Value>> {
    let field = |(at, name): (usize, &String)| Ok((name.clone(), from_sql(row.get_ref(at)?)));
    columns.iter().enumerate().map(field).collect()
}

fn from_sql(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(whole) => json!(whole),
        // JSON has no infinity.
        ValueRef::Real(real) => Number::from_f64(real).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) => Value::String(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}
