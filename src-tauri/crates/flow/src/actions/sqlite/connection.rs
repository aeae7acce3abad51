//! A connection that can do no more than the flow may.

use std::path::Path;
use std::time::Duration;

use devrig_core::Result;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::fault::told;
use crate::actions::blocking::Scene;
use crate::actions::bounds::MOST_BYTES;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 1_000;
/// Whoever else has the file is waited for at most this long.
const BUSY: Duration = Duration::from_secs(5);

pub(super) fn open(
    path: &Path,
    write: bool,
    timeout: Duration,
    scene: &Scene,
) -> Result<Connection> {
    let prepared = prepare(path, write, timeout, scene);
    prepared.map_err(|error| told(error, scene, timeout).context(path.display()))
}

fn prepare(
    path: &Path,
    write: bool,
    timeout: Duration,
    scene: &Scene,
) -> rusqlite::Result<Connection> {
    let access = match write {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE,
        false => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let always = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, access | always)?;
    connection.busy_timeout(BUSY.min(timeout))?;
    bound(&connection)?;
    let (stop, begun) = (scene.stop(), std::time::Instant::now());
    let over = move || stop.is_cancelled() || begun.elapsed() > timeout;
    connection.progress_handler(STEPS, Some(over))?;
    if !write {
        connection.pragma_update(None, "query_only", true)?;
    }
    connection
        .authorizer(Some(move |context: AuthContext<'_>| authorize(&context.action, write)))?;
    Ok(connection)
}

/// What a hostile file or statement may use up.
fn bound(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    let largest = i32::try_from(MOST_BYTES).unwrap_or(i32::MAX);
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, largest),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1_000_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 20),
    ] {
        connection.set_limit(limit, most)?;
    }
    Ok(())
}

fn authorize(action: &AuthAction<'_>, write: bool) -> Authorization {
    let allowed = match action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Unknown { .. } => false,
        // One statement is a transaction of its own, and nobody would end a longer one.
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => false,
        AuthAction::Function { function_name } => {
            !matches!(&*function_name.to_ascii_lowercase(), "load_extension" | "fts3_tokenizer")
        }
        AuthAction::Pragma { pragma_name, pragma_value } => {
            may_ask(pragma_name, pragma_value.is_some(), write)
        }
        _ => true,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// Pragmas that tell of the file; those that decide how it is kept are the person's.
fn may_ask(name: &str, with_value: bool, write: bool) -> bool {
    match &*name.to_ascii_lowercase() {
        "foreign_key_check" | "foreign_key_list" | "index_info" | "index_list" | "index_xinfo"
        | "integrity_check" | "quick_check" | "table_info" | "table_list" | "table_xinfo" => true,
        "application_id" | "user_version" => write || !with_value,
        "collation_list" | "compile_options" | "database_list" | "encoding" | "freelist_count"
        | "function_list" | "journal_mode" | "page_count" | "page_size" | "schema_version" => {
            !with_value
        }
        _ => false,
    }
}
