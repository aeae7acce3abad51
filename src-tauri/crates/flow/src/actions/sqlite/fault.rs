//! What SQLite says went wrong, for people.

use std::time::Duration;

use devrig_core::{Code, Error};
use rusqlite::{Error as SqliteError, ErrorCode};

use crate::actions::blocking::Scene;

/// A name in the statement may be as long as the statement.
const LONGEST: usize = 300;

pub(super) fn told(error: SqliteError, scene: &Scene, timeout: Duration) -> Error {
    match error {
        SqliteError::SqlInputError { msg, sql, offset, .. } => in_statement(&msg, &sql, offset),
        SqliteError::SqliteFailure(failure, message) => {
            of_code(failure.code, message.as_deref().unwrap_or_default(), scene, timeout)
        }
        other => Error::invalid(brief(&other.to_string())),
    }
}

fn in_statement(message: &str, sql: &str, offset: i32) -> Error {
    let before = usize::try_from(offset).ok().and_then(|offset| sql.get(..offset));
    let place = before.map_or(String::new(), |before| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("line {line}, column {column}: ")
    });
    Error::invalid(format!("sql: {place}{}", brief(message)))
}

fn of_code(code: ErrorCode, message: &str, scene: &Scene, timeout: Duration) -> Error {
    let message = brief(message);
    match code {
        ErrorCode::OperationInterrupted => match scene.go_on() {
            Err(cancelled) => cancelled,
            Ok(()) => {
                let ms = timeout.as_millis();
                Error::new(Code::Timeout, format!("the statement was not done after {ms} ms"))
                    .hint("Raise timeoutMs, add an index, or ask for less.")
            }
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            Error::new(Code::DatabaseBusy, "somebody else is writing to the file")
        }
        ErrorCode::ReadOnly => Error::new(Code::ReadOnly, message)
            .hint("If the statement should change the file, set `write`."),
        ErrorCode::DiskFull => Error::new(Code::DiskFull, message),
        ErrorCode::DatabaseCorrupt => Error::new(Code::DatabaseCorrupt, message)
            .hint("Restore the file from a copy; `PRAGMA integrity_check` says more."),
        ErrorCode::NotADatabase => Error::invalid("it is no SQLite database"),
        ErrorCode::ConstraintViolation => Error::new(Code::Conflict, message),
        ErrorCode::TooBig => Error::new(Code::TooLarge, "a value is larger than 16 MB"),
        ErrorCode::AuthorizationForStatementDenied => Error::new(Code::Refused, message).hint(
            "Flows neither attach files, load extensions, open transactions nor set pragmas.",
        ),
        ErrorCode::SystemIoFailure => Error::new(Code::Io, message),
        _ => Error::invalid(message),
    }
}

fn brief(message: &str) -> String {
    message.chars().take(LONGEST).collect()
}
