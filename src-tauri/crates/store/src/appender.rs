//! Rows that need nothing read first, written in the writer's own thread. A hop to sqlx's thread
//! and back costs several times what their statements do.

use std::collections::BTreeMap;

use devrig_core::Result;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::append::{Bind, Rows};
use crate::error::from_rusqlite;
use crate::open::{BUSY, Durability, StoreOptions};

/// A connection of its own: what it prepared stays its own, and so do the pages that it keeps.
pub(crate) struct Appender {
    conn: Connection,
}

impl Appender {
    /// Opens the file, which must be there and in WAL mode.
    pub fn open(options: &StoreOptions) -> Result<Self> {
        Self::connect(options).map_err(from_rusqlite).map(|conn| Self { conn })
    }

    fn connect(options: &StoreOptions) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&options.file, flags)?;
        conn.busy_timeout(BUSY)?;
        conn.set_prepared_statement_cache_capacity(64);
        let synchronous = match options.durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        conn.pragma_update(None, "synchronous", synchronous)?;
        conn.pragma_update(None, "foreign_keys", true)?;
        // The log is the checkpoint task's to keep short.
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "temp_store", "memory")?;
        // What is appended lies at the ends of few tables.
        conn.pragma_update(None, "cache_size", -4000)?;
        Ok(conn)
    }

    /// Writes all rows in a transaction of their own, table by table.
    pub fn commit<'a>(&self, rows: impl IntoIterator<Item = &'a Rows>) -> Result<()> {
        let mut tables: BTreeMap<&str, Vec<&Rows>> = BTreeMap::new();
        for rows in rows {
            tables.entry(rows.into).or_default().push(rows);
        }
        self.write(&tables).map_err(from_rusqlite)
    }

    fn write(&self, tables: &BTreeMap<&str, Vec<&Rows>>) -> rusqlite::Result<()> {
        let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
        for (into, parts) in tables {
            let Some(first) = parts.first() else { continue };
            let mut statement = self.insert(into, first.columns)?;
            for values in parts.iter().flat_map(|rows| rows.values.chunks(rows.columns)) {
                for (at, value) in values.iter().enumerate() {
                    statement.raw_bind_parameter(at + 1, bound(value))?;
                }
                statement.raw_execute()?;
            }
        }
        transaction.commit()
    }

    fn insert(&self, into: &str, columns: usize) -> rusqlite::Result<CachedStatement<'_>> {
        let values = vec!["?"; columns].join(", ");
        self.conn.prepare_cached(&format!("{into}VALUES ({values})"))
    }
}

fn bound(value: &Bind) -> ToSqlOutput<'_> {
    match value {
        Bind::Null => ToSqlOutput::Owned(Value::Null),
        Bind::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
        Bind::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
        Bind::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Bind::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }
}
