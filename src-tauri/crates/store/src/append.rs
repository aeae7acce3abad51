//! Rows that are only ever appended, written in multi-row statements.
//!
//! A statement costs 25–50 µs in sqlx whatever it does, so one row each gives some 9,000 rows a
//! second and 50 rows each over 300,000 (DESIGN §5).

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// One value of an appended row.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Bind::Int(value)
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Self {
        Bind::Text(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Bind::Text(value.to_owned())
    }
}

impl<T: Into<Bind>> From<Option<T>> for Bind {
    fn from(value: Option<T>) -> Self {
        value.map_or(Bind::Null, Into::into)
    }
}

/// Rows per statement, the most first; what is left over is one more statement. Few sizes keep
/// the statement cache hot.
const ROWS: [usize; 2] = [200, 50];

/// Rows waiting for the end of their group, by their `INSERT INTO table (columns)` text.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    tables: BTreeMap<&'static str, (usize, Vec<Bind>)>,
}

impl Waiting {
    /// `values` holds whole rows of `columns` values each.
    pub fn push(&mut self, into: &'static str, columns: usize, values: Vec<Bind>) {
        debug_assert!(columns > 0 && values.len().is_multiple_of(columns));
        let entry = self.tables.entry(into).or_insert_with(|| (columns, Vec::new()));
        entry.1.extend(values);
    }

    pub fn clear(&mut self) {
        self.tables.clear();
    }

    pub async fn flush(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for (into, (columns, values)) in std::mem::take(&mut self.tables) {
            let mut values = values.into_iter();
            while values.len() >= columns {
                let left = values.len() / columns;
                let rows = ROWS.into_iter().find(|size| *size <= left).unwrap_or(left);
                insert(conn, into, columns, values.by_ref().take(columns * rows)).await?;
            }
        }
        Ok(())
    }
}

async fn insert(
    conn: &mut SqliteConnection,
    into: &'static str,
    columns: usize,
    mut values: impl ExactSizeIterator<Item = Bind>,
) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new(into);
    query.push_values(0..values.len() / columns, |mut row, _| {
        for value in values.by_ref().take(columns) {
            match value {
                Bind::Null => row.push_bind(None::<i64>),
                Bind::Int(value) => row.push_bind(value),
                Bind::Real(value) => row.push_bind(value),
                Bind::Text(value) => row.push_bind(value),
                Bind::Blob(value) => row.push_bind(value),
            };
        }
    });
    query.build().execute(conn).await?;
    Ok(())
}
