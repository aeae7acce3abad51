//! Rows to a table.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::{ErrorKind, Writer, WriterBuilder};
use devrig_core::{Error, Result};
use devrig_expr::View;
use serde_json::Value;

use super::Layout;
use crate::actions::bounds::{Bytes, output_too_large};
use crate::actions::input::wrong_kind;

pub(super) fn write(items: &[Value], layout: Layout) -> Result<Value> {
    let mut writer = WriterBuilder::new()
        .delimiter(layout.delimiter)
        .quote(layout.quote)
        .flexible(true)
        .from_writer(Bytes::new());
    let objects = !matches!(items.first(), Some(Value::Array(_)));
    let columns = match layout.columns {
        None if objects => fields(items),
        columns => columns.unwrap_or_default(),
    };
    if objects && columns.is_empty() {
        return Ok("".into());
    }
    if layout.header && !columns.is_empty() {
        writer.write_record(&columns).map_err(told)?;
    }
    for (at, item) in items.iter().enumerate() {
        write_row(&mut writer, item, objects.then_some(&columns), at)?;
    }
    finish(writer)
}

fn finish(writer: Writer<Bytes>) -> Result<Value> {
    let bytes = writer.into_inner().map_err(|_| output_too_large())?.into_vec();
    // Only texts and ASCII were written.
    String::from_utf8(bytes).map(Value::String).map_err(|error| Error::internal(error.to_string()))
}

/// Every field that occurs, in the order in which they appear.
fn fields(items: &[Value]) -> Vec<String> {
    let maps = items.iter().filter_map(Value::as_object);
    let mut seen = HashSet::new();
    maps.flat_map(|map| map.keys()).filter(|name| seen.insert(*name)).cloned().collect()
}

fn write_row(
    writer: &mut Writer<Bytes>,
    item: &Value,
    columns: Option<&Vec<String>>,
    at: usize,
) -> Result<()> {
    let cells: Vec<Cow<'_, str>> = match (item, columns) {
        (Value::Object(map), Some(columns)) => {
            columns.iter().map(|name| map.get(name).map_or("".into(), cell)).collect()
        }
        (Value::Array(list), None) => list.iter().map(cell).collect(),
        (other, Some(_)) => {
            return Err(wrong_kind(format_args!("items[{at}]"), other, "an object"));
        }
        (other, None) => {
            return Err(wrong_kind(format_args!("items[{at}]"), other, "a list as the first"));
        }
    };
    writer.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(told)
}

fn cell(value: &Value) -> Cow<'_, str> {
    match (value, View::of(value)) {
        (Value::Null, _) => "".into(),
        (Value::String(text), _) => text.into(),
        (_, View::Number(number)) => number.to_string().into(),
        (value, _) => value.to_string().into(),
    }
}

fn told(error: csv::Error) -> Error {
    match error.kind() {
        ErrorKind::Io(_) => output_too_large(),
        _ => Error::internal(format!("the table cannot be written: {error}")),
    }
}
