//! The care of the database.

use std::path::Path;
use std::process::ExitCode;

use devrig_core::{Code, Error, Result, SystemClock};
use devrig_engine::api::settings::{BackupArgs, CleanArgs, Cleaned};
use devrig_engine::socket::Guest;
use devrig_engine::{Api, Home, NoArgs};
use devrig_store::StoreOptions;
use serde_json::json;

use crate::args::Db;
use crate::output::{Output, Progress};

pub async fn run(command: Db, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Db::Check => {
            let check = api.db_check(NoArgs {}).await?;
            output.show(&check, |check| {
                if check.ok {
                    let size = check.size_bytes / 1_048_576.0;
                    format!(
                        "The database is whole ({size:.1} MB, {} migrations).",
                        check.migrations
                    )
                } else {
                    format!("The database is damaged:\n{}", check.problems.join("\n"))
                }
            })?;
            Ok(if check.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Db::Backup { file } => {
            let path = file.map(std::path::absolute).transpose()?;
            let path = path.map(|path| path.display().to_string());
            let copy = api.db_backup(BackupArgs { path }).await?;
            output.show(&json!({"path": copy}), |_| format!("Copied to {copy}"))
        }
        Db::Clean { days, failed_days } => {
            let progress = Progress::start(output, "Deleting old runs");
            let cleaned = api.db_clean(CleanArgs { days, failed_days }).await?;
            drop(progress);
            output.show(&cleaned, |cleaned| {
                let freed = (cleaned.size_before - cleaned.size_after).max(0.0) / 1_048_576.0;
                let Cleaned { runs, events } = cleaned.deleted;
                format!(
                    "Deleted {runs} runs and {events} events; the file is {freed:.1} MB shorter."
                )
            })
        }
        // Ran before an engine was asked for, because the engine holds the file.
        Db::Restore { .. } => Ok(ExitCode::SUCCESS),
    }
}

pub async fn restore(home: &Home, file: &Path, output: Output) -> Result<ExitCode> {
    if Guest::connect(&home.socket()).await.is_ok() {
        return Err(Error::new(
            Code::Conflict,
            "DevRig is running, so its database cannot be replaced",
        )
        .hint("Stop it first: `devrig stop`, or close its window."));
    }
    home.prepare()?;
    let options = StoreOptions::new(home.database(), home.backups(), SystemClock::shared());
    let kept = devrig_store::backup::restore(&options, file).await?;
    let kept = kept.map(|path| path.display().to_string());
    output.show(&json!({"ok": true, "kept": kept}), |_| match &kept {
        Some(kept) => format!("Restored. The database before is kept as {kept}"),
        None => "Restored.".to_owned(),
    })
}
