//! Rows that are only ever appended. Beside units that read they are written in multi-row
//! statements; alone they go by the [`crate::appender`].
//!
//! A statement costs 25–50 µs in sqlx whatever it does, so one row each gives some 9,000 rows a
//! second and 50 rows each over 300,000 (DESIGN §5).

use std::collections::BTreeMap;

use devrig_core::Change;
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

/// Rows and changes that need nothing read first, so that they cost no unit of their own: those of
/// everyone who waits go to SQLite together, in one round.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(crate) rows: Vec<Rows>,
    pub(crate) changes: Vec<Change>,
}

/// Whole rows for one table; `into` is `INSERT INTO table (columns) `.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub into: &'static str,
    pub columns: usize,
    pub values: Vec<Bind>,
}

impl Batch {
    /// Adds rows of `columns` values. `into` is `INSERT INTO table (columns) `.
    pub fn append(&mut self, into: &'static str, columns: usize, values: Vec<Bind>) {
        debug_assert!(columns > 0 && values.len().is_multiple_of(columns));
        self.rows.push(Rows { into, columns, values });
    }

    /// Adds a change row; subscribers hear of it after the commit.
    pub fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Takes everything of another one.
    pub fn merge(&mut self, other: Batch) {
        self.rows.extend(other.rows);
        self.changes.extend(other.changes);
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
    pub fn push(&mut self, rows: Rows) {
        let Rows { into, columns, values } = rows;
        debug_assert!(columns > 0 && values.len().is_multiple_of(columns));
        let entry = self.tables.entry(into).or_insert_with(|| (columns, Vec::new()));
        entry.1.extend(values);
    }

    /// The rows of a batch; its changes are numbered by the writer.
    pub fn add(&mut self, batch: Batch) {
        batch.rows.into_iter().for_each(|rows| self.push(rows));
    }

    pub fn clear(&mut self) {
        self.tables.clear();
    }

    /// Writes everything and commits, in one round: a round costs more than most statements do.
    pub async fn commit(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut query = QueryBuilder::<Sqlite>::new("");
        for (into, (columns, values)) in std::mem::take(&mut self.tables) {
            let mut values = values.into_iter();
            while values.len() >= columns {
                let left = values.len() / columns;
                let rows = ROWS.into_iter().find(|size| *size <= left).unwrap_or(left);
                insert(&mut query, into, columns, values.by_ref().take(columns * rows));
            }
        }
        query.push("COMMIT");
        query.build().execute(conn).await?;
        Ok(())
    }
}

fn insert(
    query: &mut QueryBuilder<Sqlite>,
    into: &'static str,
    columns: usize,
    mut values: impl ExactSizeIterator<Item = Bind>,
) {
    query.push(into);
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
    query.push("; ");
}
