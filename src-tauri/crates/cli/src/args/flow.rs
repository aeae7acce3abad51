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
    /// All flows, and what is wrong with files of the watched folder.
    List {
        /// Only those of this folder and below it.
        #[arg(long)]
        folder: Option<String>,
        /// Only those with this tag; more than once for all of several.
        #[arg(long)]
        tag: Vec<String>,
    },
    /// The files of the watched folder, and how each stands to its flow.
    Files,
    /// One flow: its triggers and nodes.
    #[command(disable_version_flag = true)]
    Show(OneVersion),
    /// Make a flow of its file. One that is there is not changed; see import.
    Create {
        /// A file, or `-` for standard input.
        file: PathBuf,
    },
    /// Save flows of their files, as new versions of those that are there. A workflow that n8n
    /// exported becomes a new flow, and what did not map is told.
    Import {
        /// Files, folders with files of flows, or `-` for standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Write what workflows of n8n became into this folder, instead of saving it.
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
    },
    /// Print a flow as the text that can live in a file.
    #[command(disable_version_flag = true)]
    Export {
        #[command(flatten)]
        of: OneVersion,
        /// Write it into this file instead. Where its nodes stand is left out unless the name ends
        /// in `.flow.json`, and goes into a `.layout.json` beside it.
        #[arg(conflicts_with = "to")]
        file: Option<PathBuf>,
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
        /// Begin with this node; what comes before it, and beside it, is as it was in another run.
        #[arg(long, value_name = "NODE", requires = "run", conflicts_with = "input")]
        from: Option<String>,
        /// The run whose outputs count for what comes before.
        #[arg(long = "of", id = "run", value_name = "RUN", requires = "from")]
        of_run: Option<String>,
    },
    /// Run one node of a flow now, without the others. What it does to the world it does.
    #[command(disable_version_flag = true)]
    RunNode {
        #[command(flatten)]
        of: OneVersion,
        /// Its id.
        node: String,
        /// What it sees as `trigger.payload`: JSON, @FILE, or `-` for standard input. What the trigger
        /// of the other run told when absent, else {}.
        #[arg(long, value_name = "JSON")]
        input: Option<String>,
        /// The run whose outputs count for nodes that are not pinned.
        #[arg(long, value_name = "RUN")]
        from_run: Option<String>,
        /// What a node in the body of a loop sees as `loop.item`: JSON, @FILE, or `-`.
        #[arg(long, value_name = "JSON")]
        item: Option<String>,
        /// Wait for the end, at most so many seconds when given. Fails unless the run completed.
        #[arg(long, value_name = "SECONDS", num_args = 0..=1)]
        wait: Option<Option<u64>>,
    },
    /// Send the last triggers of a flow through another version of it, touching and writing nothing, and
    /// tell which runs would go another way.
    #[command(disable_version_flag = true)]
    Backtest {
        #[command(flatten)]
        of: OneVersion,
        /// A file of the flow that is not saved yet, or `-` for standard input.
        #[arg(long, value_name = "FILE", conflicts_with = "version")]
        file: Option<PathBuf>,
        /// How many triggers.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        last: u32,
    },
    /// Try a flow out with its tests, touching and writing nothing.
    Test {
        /// A file, whose tests are those in `NAME.test.json` beside `NAME.flow.json`, or a flow.
        what: String,
        /// Where the tests are.
        #[arg(long, value_name = "FILE")]
        tests: Option<PathBuf>,
    },
    /// What a flow may touch, and what it asks for.
    Permissions { flow: String },
    /// Let a flow touch more.
    Allow {
        flow: String,
        /// command:NAME, network:HOST, read:FOLDER, write:FOLDER, env:NAME, secret:NAME or plugin:NAME.
        #[arg(required = true, value_name = "PERMISSION")]
        permissions: Vec<String>,
    },
    /// Let a flow touch less.
    Forbid {
        flow: String,
        /// As `devrig flow permissions` lists them.
        #[arg(required = true, value_name = "PERMISSION")]
        permissions: Vec<String>,
    },
    /// What nodes can do, or all about one of these actions.
    Actions { name: Option<String> },
    /// What can start a flow, or all about one type of trigger.
    Triggers {
        #[arg(value_name = "TYPE")]
        name: Option<String>,
    },
}

/// Which runs.
#[derive(Debug, Clone, Args)]
pub struct Runs {
    /// Only those of this flow.
    #[arg(long)]
    pub flow: Option<String>,
    /// queued, running, waiting, needs_decision, completed, failed, cancelled.
    #[arg(long)]
    pub status: Option<String>,
    /// live, manual, sub, error, node.
    #[arg(long)]
    pub kind: Option<String>,
    /// The type of trigger that started it, such as webhook.
    #[arg(long, value_name = "TYPE")]
    pub trigger: Option<String>,
    /// From this time on: 30m, 6h, 2d or 1w ago, or such as 2026-11-20T09:30:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Words of the error, or the beginning of an id.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Run {
    /// Runs, newest first.
    List {
        #[command(flatten)]
        which: Runs,
        #[command(flatten)]
        page: Page,
    },
    /// One run: what became of its nodes.
    Show {
        run: String,
        /// Tell of each node as it ends, until the run ends. JSON is printed then.
        #[arg(long, short = 'w')]
        watch: bool,
    },
    /// What a run told.
    Logs {
        run: String,
        /// Go on until the run ends. JSON is one line for each.
        #[arg(long, short = 'f')]
        follow: bool,
    },
    /// End a run.
    Cancel { run: String },
    /// Go on from where a run failed or was cancelled, in a run of its own.
    Retry {
        run: String,
        /// With the newest version of its flow: what changed is run again, and what comes after that.
        #[arg(long)]
        latest: bool,
    },
    /// Do a run again from its beginning, with what its trigger told.
    Replay {
        run: String,
        /// With the newest version of its flow.
        #[arg(long)]
        latest: bool,
    },
    /// Forget a run that has ended.
    Discard { run: String },
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
    Jsonpath,
    Jmespath,
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
    /// What templates and conditions can be made of.
    Helpers,
    /// When a schedule falls due next.
    CronNext {
        /// Minute, hour, day of month, month, weekday; with seconds in front, or without.
        expression: String,
        /// Such as Europe/Berlin; the machine's when absent.
        #[arg(long, value_name = "ZONE")]
        tz: Option<String>,
        /// Times after this one, such as 2026-11-20T09:30:00Z; after now when absent.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// How many, at most 1000.
        #[arg(short = 'n', value_name = "N", default_value_t = 5)]
        count: u32,
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
pub enum Tunnel {
    /// What listens, and what the internet reaches.
    Status,
    /// Let the internet reach the webhooks, until it is stopped or DevRig ends.
    Start {
        /// A program that makes the tunnel, with {port} in its arguments; cloudflared when absent.
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// End the tunnel.
    Stop,
}

#[derive(Debug, Subcommand)]
pub enum Trigger {
    /// The triggers of enabled flows: how they stand, and why one does not fire.
    List,
    /// One trigger: how it stands, and when it fires next.
    Show { flow: String, trigger: String },
    /// Fire a trigger now, with something that it could tell unless told what.
    Fire {
        flow: String,
        trigger: String,
        /// JSON that the run sees as `trigger.payload`: a file, or `-` for standard input.
        #[arg(long, value_name = "FILE", conflicts_with = "event")]
        payload: Option<PathBuf>,
        /// What was told before: the number of an event.
        #[arg(long, value_name = "N")]
        event: Option<i64>,
    },
    /// Stop a trigger, and nothing else of its flow. New versions leave it stopped.
    Pause { flow: String, trigger: String },
    /// Let a trigger go on that was paused.
    Resume { flow: String, trigger: String },
    /// What the triggers of a flow told, newest first, and what came of it.
    Events {
        flow: String,
        trigger: Option<String>,
        /// One event with all that it told, by its number.
        #[arg(long, value_name = "N", conflicts_with = "trigger")]
        event: Option<i64>,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Debug, Subcommand)]
pub enum Approval {
    /// What runs ask you, longest first.
    List,
    /// Say yes.
    Approve {
        /// An approval, or a run that waits for one only.
        approval: String,
        /// What the flow is told besides.
        #[arg(long)]
        note: Option<String>,
    },
    /// Say no.
    Reject {
        approval: String,
        #[arg(long)]
        note: Option<String>,
    },
}
