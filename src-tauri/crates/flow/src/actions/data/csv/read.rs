//! A table to rows.

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use devrig_core::{Error, Result};
use serde_json::{Map, Value};

use super::Layout;
use crate::actions::bounds::Room;
use crate::actions::data::plain_number::plain_number;

pub(super) fn read(text: &str, layout: &Layout) -> Result<Value> {
    // Spreadsheets begin their files with it, and it is no part of the first name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(layout.delimiter)
        .quote(layout.quote)
        .flexible(layout.ragged)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let first = if layout.header { records.next().transpose().map_err(told)? } else { None };
    let mut rows = Rows { names: names(first, layout)?, layout, room: Room::for_output() };
    records.map(|record| rows.row(&record.map_err(told)?)).collect()
}

/// Nothing where rows are lists.
fn names(first: Option<StringRecord>, layout: &Layout) -> Result<Option<Vec<String>>> {
    let named = |first: StringRecord| {
        let cells = first.iter().enumerate();
        cells
            .map(|(at, name)| if name.is_empty() { numbered(at) } else { name.to_owned() })
            .collect()
    };
    let names: Option<Vec<String>> = match &layout.columns {
        Some(columns) => Some(columns.clone()),
        None if layout.header => Some(first.map(named).unwrap_or_default()),
        None => None,
    };
    names.map(distinct).transpose()
}

fn distinct(names: Vec<String>) -> Result<Vec<String>> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::invalid(format!("two columns are named {:?}", pair[0]))
            .hint("Name them with columns, or read lists with header: false.")),
        None => Ok(names),
    }
}

fn numbered(at: usize) -> String {
    format!("column{}", at + 1)
}

struct Rows<'l> {
    names: Option<Vec<String>>,
    layout: &'l Layout,
    room: Room,
}

impl Rows<'_> {
    fn row(&mut self, record: &StringRecord) -> Result<Value> {
        let names = self.names.as_deref();
        let Some(names) = names else {
            return record
                .iter()
                .map(|cell| cell_value(cell, self.layout, &mut self.room))
                .collect();
        };
        if record.len() != names.len() && !self.layout.ragged {
            return Err(uneven(record.position(), names.len() as u64, record.len() as u64));
        }
        let mut row = Map::new();
        for (at, cell) in record.iter().enumerate() {
            let name = names.get(at).cloned().unwrap_or_else(|| numbered(at));
            // A long name in the header is repeated in every row.
            self.room.take(name.len() + 3)?;
            row.insert(name, cell_value(cell, self.layout, &mut self.room)?);
        }
        Ok(Value::Object(row))
    }
}

fn cell_value(cell: &str, layout: &Layout, room: &mut Room) -> Result<Value> {
    room.take(cell.len() + 3)?;
    let number = plain_number(cell).filter(|_| layout.numbers);
    Ok(number.unwrap_or_else(|| cell.into()))
}

fn told(error: csv::Error) -> Error {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            uneven(pos.as_ref(), *expected_len, *len)
        }
        _ => Error::invalid(format!("the table cannot be read: {error}")),
    }
}

fn uneven(position: Option<&csv::Position>, expected: u64, found: u64) -> Error {
    let line = position.map_or(0, csv::Position::line);
    Error::invalid(format!("line {line} has {found} cells, not {expected} as the first line"))
        .hint("Check the delimiter, or allow it with ragged: true.")
}
