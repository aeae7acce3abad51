//! What can be written about flows, their runs and expressions.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Page;

/// Which version of which flow.
#[derive(Debug, Clone, Args)]
pub struct OneVersion {
    /// A flow's id, or its name where no other has it.
    pub flow: String,
    /// The newest when absent.
    #[arg(long, value_name = "N")]
    pub version: Option<i64>,
}

#[derive(Debug, Subcommand)]
pub enum Flow {
    /// All flows.
    List,
    /// One flow: its triggers and nodes.
    #[command(disable_version_flag = true)]
    Show(OneVersion),
    /// Make a flow of its file. One that is there is not changed; see import.
    Create {
        /// A file, or `-` for standard input.
        file: PathBuf,
    },
    /// Save flows of their files, as new versions of those that are there.
    Import {
        /// Files, or `-` for standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print a flow as the text that can live in a file.
    #[command(disable_version_flag = true)]
    Export {
        #[command(flatten)]
        of: OneVersion,
        /// Write it into this folder instead, with a second file that says where its nodes stand.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// Say everything that is wrong with a flow.
    Validate {
        /// A file, `-` for standard input, or a flow that is there.
        what: String,
    },
    /// Make a version live: the one that triggers run.
    #[command(disable_version_flag = true)]
    Publish(OneVersion),
    /// Let the triggers of a flow fire.
    Enable { flow: String },
    /// Leave a flow alone until it is enabled again, or run by hand.
    Disable { flow: String },
    /// The versions of a flow, newest first.
    Versions { flow: String },
    /// What changed from one version to another.
    Diff { flow: String, from: i64, to: i64 },
    /// Save an older version again as the newest one.
    #[command(disable_version_flag = true)]
    Restore { flow: String, version: i64 },
    /// Forget a flow and its versions. Its runs stay until their time is over.
    Delete { flow: String },
    /// Run a flow now.
    #[command(disable_version_flag = true)]
    Run {
        #[command(flatten)]
        of: OneVersion,
        /// What the flow sees as `trigger.payload`: JSON, @FILE, or `-` for standard input.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        input: String,
        /// Wait for the end, at most so many seconds when given. Fails unless the run completed.
        #[arg(long, value_name = "SECONDS", num_args = 0..=1)]
        wait: Option<Option<u64>>,
    },
    /// What nodes can do, or all about one of these actions.
    Actions { name: Option<String> },
}

#[derive(Debug, Subcommand)]
pub enum Run {
    /// Runs, newest first.
    List {
        /// Only those of this flow.
        #[arg(long)]
        flow: Option<String>,
        /// queued, running, waiting, needs_decision, completed, failed, cancelled.
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// One run: what became of its nodes.
    Show { run: String },
    /// What a run told.
    Logs {
        run: String,
        /// Go on until the run ends. JSON is one line for each.
        #[arg(long, short = 'f')]
        follow: bool,
    },
    /// End a run.
    Cancel { run: String },
    /// Say how a run goes on whose node may have had its effect, or not.
    Decide {
        run: String,
        /// `again` does the node again, `skip` goes on without it, `fail` ends the run.
        #[arg(value_enum)]
        decision: Decided,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    Template,
    Condition,
}

#[derive(Debug, Subcommand)]
pub enum Expr {
    /// What an expression gives, evaluated as flows do.
    Eval {
        #[arg(long, value_enum)]
        lang: Lang,
        expression: String,
        /// JSON that the expression sees: a file, or `-` for standard input.
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
    },
}

/// How a run in doubt goes on.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Decided {
    Again,
    Skip,
    Fail,
}

#[derive(Debug, Subcommand)]
pub enum Trigger {
    /// The triggers of enabled flows: where they listen, and why one does not.
    List,
}
