//! The SQL of this crate's tables, one module for each.

pub mod account;
pub mod grant;
pub mod log;
pub mod plugin;
pub mod storage;
pub mod sync;

use devrig_core::Result;
use devrig_store::from_sqlx;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A column of a row that a query of ours gave.
fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(from_sqlx)
}

/// JSON in a column that may be NULL.
fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<Option<T>> {
    let text: Option<String> = get(row, column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}
