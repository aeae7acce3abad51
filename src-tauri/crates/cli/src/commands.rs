//! One module for each noun. A command reads its arguments, makes calls, prints the answer.

mod approval;
mod db;
mod engine;
mod expr;
mod flow;
mod inbox;
mod job;
mod metrics;
mod plugin;
mod rule;
mod run;
mod secret;
mod settings;
mod split;
pub mod start;
mod trigger;
mod tunnel;

use std::process::ExitCode;

use clap::CommandFactory;
use devrig_core::Result;
use devrig_engine::{Api, Home};

use crate::args::{Cli, Command, Db};
use crate::output::{Output, line};

/// Commands that need no engine, or must not start one.
pub async fn offline(cli: &Cli, home: &Home, output: Output) -> Result<Option<ExitCode>> {
    match &cli.command {
        Command::Db(Db::Restore { file }) => db::restore(home, file, output).await.map(Some),
        Command::Stop => engine::stop(home, output).await.map(Some),
        Command::Status => engine::status(home, output).await.map(Some),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "devrig", &mut script);
            line(String::from_utf8_lossy(&script).trim_end());
            Ok(Some(ExitCode::SUCCESS))
        }
        _ => Ok(None),
    }
}

pub async fn run(command: Command, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Command::Inbox(command) => inbox::run(command, api, output).await,
        Command::Plugin(command) => plugin::run(command, api, output).await,
        Command::Split(command) => split::run(command, api, output).await,
        Command::Rule(command) => rule::run(command, api, output).await,
        Command::Flow(command) => flow::run(command, api, output).await,
        Command::Run(command) => run::run(command, api, output).await,
        Command::Approval(command) => approval::run(command, api, output).await,
        Command::Trigger(command) => trigger::run(command, api, output).await,
        Command::Tunnel(command) => tunnel::run(command, api, output).await,
        Command::Expr(command) => expr::run(command, api, output).await,
        Command::Secret(command) => secret::run(command, api, output).await,
        Command::Job(command) => job::run(command, api, output).await,
        Command::Settings(command) => settings::run(command, api, output).await,
        Command::Db(command) => db::run(command, api, output).await,
        Command::Metrics => metrics::run(api, output).await,
        Command::Doctor => engine::doctor(api, output).await,
        Command::Audit { subject, page } => engine::audit(subject, page, api, output).await,
        // These were run before an engine was asked for.
        Command::Start { .. } | Command::Stop | Command::Status | Command::Completions { .. } => {
            Ok(ExitCode::SUCCESS)
        }
    }
}
