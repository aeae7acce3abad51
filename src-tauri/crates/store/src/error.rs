//! What SQLite reports, in DevRig's codes.

use devrig_core::{Code, Error};

/// Turns an sqlx error into ours. A disk that is full, a file that cannot be written and a file
/// that is broken each get their own code, because the app survives them differently.
pub fn from_sqlx(error: sqlx::Error) -> Error {
    let sqlx::Error::Database(database) = &error else {
        return match error {
            sqlx::Error::RowNotFound => Error::new(Code::NotFound, "the row was not found"),
            sqlx::Error::Io(io) => Error::from(io),
            sqlx::Error::PoolTimedOut => {
                Error::new(Code::DatabaseBusy, "every reading connection stayed busy for too long")
            }
            other => Error::new(Code::Database, other.to_string()),
        };
    };
    let extended: i32 = database.code().and_then(|code| code.parse().ok()).unwrap_or(1);
    told(extended, database.message())
}

/// The same for an error of the appending connection.
pub(crate) fn from_rusqlite(error: rusqlite::Error) -> Error {
    let message = error.to_string();
    match error.sqlite_error() {
        Some(code) => told(code.extended_code, &message),
        None => Error::new(Code::Database, message),
    }
}

/// By SQLite's extended code.
fn told(extended: i32, message: &str) -> Error {
    match extended & 0xff {
        5 | 6 => Error::new(Code::DatabaseBusy, format!("the database is busy: {message}"))
            .hint("Another program may hold the file; close it and try again."),
        8 => read_only(),
        13 => disk_full(),
        // A full disk while the shared-memory file grows (SQLITE_IOERR_SHMSIZE) reads as a plain
        // "disk I/O error".
        10 if extended >> 8 == 19 => disk_full(),
        10 => Error::new(Code::Io, format!("the disk failed under the database: {message}"))
            .hint("Check the disk; nothing that was confirmed is lost."),
        11 | 26 => Error::new(Code::DatabaseCorrupt, format!("the database is damaged: {message}"))
            .hint("Run `devrig db check`, then `devrig db restore` with a backup."),
        14 => Error::new(Code::Io, format!("the database file cannot be opened: {message}"))
            .hint("Check that DevRig's home folder exists and is writable by you."),
        19 => Error::new(Code::Conflict, message.to_owned()),
        _ => Error::new(Code::Database, format!("{message} (SQLite {extended})")),
    }
}

pub(crate) fn read_only() -> Error {
    Error::new(Code::ReadOnly, "the database cannot be written: its disk or folder is read-only")
        .hint("Make DevRig's home folder and the disk it lies on writable, then restart.")
}

fn disk_full() -> Error {
    Error::new(Code::DiskFull, "the disk that holds DevRig's home folder is full")
        .hint("Free some space; what was confirmed is safe, and DevRig goes on by itself.")
}
