//! The `devrig` command: everything that the window does, for people and for scripts.
//!
//! Exit codes: 0 on success, 1 on failure, 2 on misuse. `--json` prints the answer of the call as
//! it is; without it, a table or a sentence.

mod args;
mod commands;
mod input;
mod output;
mod problems;
mod time;

use std::process::ExitCode;

use clap::Parser;
use devrig_core::Result;
use devrig_engine::{Connection, EngineParts, Home, OwnerKind};

use args::{Cli, Command};
use output::Output;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&error.into()),
    };
    let outcome = runtime.block_on(run(cli, output));
    // What still runs in the background was closed above or does not matter any more.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => output.failed(&error),
    }
}

async fn run(cli: Cli, output: Output) -> Result<ExitCode> {
    let home = Home::from_environment()?;
    if let Some(code) = commands::offline(&cli, &home, output).await? {
        return Ok(code);
    }
    home.prepare()?;
    let unlock = match cli.command {
        Command::Start { unlock } => Some(unlock),
        _ => None,
    };
    let headless = unlock.is_some();
    let _logs = devrig_engine::logging::start(&home.logs(), &cli.log_level)?;
    let kind = if headless { OwnerKind::Headless } else { OwnerKind::Command };
    let connection = Connection::open(EngineParts::system(home, kind)?).await?;
    let outcome = if headless {
        commands::start::run(&connection, unlock == Some(true), output).await
    } else {
        let api = connection.api().await?;
        commands::run(cli.command, &*api, output).await
    };
    connection.close().await;
    outcome
}
