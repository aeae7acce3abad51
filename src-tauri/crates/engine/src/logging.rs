//! Logs: one file a day in the home folder, 30 days and 100 MB at most.

use std::path::Path;

use devrig_core::{Error, Result};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const DAYS: usize = 30;
const TOTAL_BYTES: u64 = 100 * 1024 * 1024;
const PREFIX: &str = "devrig";

/// Keeps the writing thread alive; what waits is written when it is dropped.
pub struct LogGuard(
    #[expect(dead_code, reason = "held for its drop")] tracing_appender::non_blocking::WorkerGuard,
);

/// Starts logging to files of `folder`. `level` is a filter such as `info` or
/// `devrig_plugins=debug`.
pub fn start(folder: &Path, level: &str) -> Result<LogGuard> {
    let filter = EnvFilter::try_new(level).map_err(|error| {
        Error::invalid(format!("{level:?} is not a log level: {error}"))
            .hint("Use error, warn, info, debug or trace.")
    })?;
    std::fs::create_dir_all(folder)?;
    trim(folder)?;
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(PREFIX)
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder)
        .map_err(|error| Error::internal(format!("the log file could not be opened: {error}")))?;
    let (writer, guard) = tracing_appender::non_blocking(files);
    // A second start in one process (tests, handover) keeps the first subscriber.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false))
        .try_init();
    Ok(LogGuard(guard))
}

/// Deletes the oldest files until the rest fits.
pub(crate) fn trim(folder: &Path) -> Result<()> {
    let mut total = 0;
    for file in files(folder)?.into_iter().rev() {
        total += std::fs::metadata(&file).map_or(0, |meta| meta.len());
        if total > TOTAL_BYTES {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Oldest first: the names sort by day.
fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "log"))
        .collect();
    files.sort();
    Ok(files)
}

/// The newest lines, oldest of them first.
pub(crate) fn tail(folder: &Path, limit: usize) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for file in files(folder)?.into_iter().rev() {
        let text = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
        let wanted = limit - lines.len();
        let mut newest: Vec<String> = text.lines().rev().take(wanted).map(str::to_owned).collect();
        lines.append(&mut newest);
        if lines.len() >= limit {
            break;
        }
    }
    lines.reverse();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_crosses_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("devrig.2026-01-01.log"), "a\nb\n").unwrap();
        std::fs::write(folder.path().join("devrig.2026-01-02.log"), "c\n").unwrap();
        assert_eq!(tail(folder.path(), 2).unwrap(), ["b", "c"]);
        assert_eq!(tail(folder.path(), 9).unwrap(), ["a", "b", "c"]);
    }
}
