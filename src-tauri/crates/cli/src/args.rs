//! What can be written on the command line.

mod flow;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use flow::{Approval, Decided, Expr, Flow, Lang, OneVersion, Run, Runs, Trigger, Tunnel};

/// A local-first command center for developers.
#[derive(Debug, Parser)]
#[command(name = "devrig", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    pub json: bool,
    /// What goes into the log files: error, warn, info, debug, trace, or a filter by room.
    #[arg(long, global = true, default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run without a window until stopped.
    Start {
        /// Read the passphrase of the secrets from standard input first.
        #[arg(long)]
        unlock: bool,
    },
    /// Ask the running DevRig to stop.
    Stop,
    /// What is running, and how it is.
    Status,
    /// Items: list, search, triage, undo, act, import.
    #[command(subcommand)]
    Inbox(Inbox),
    /// Plugins, their accounts, permissions, settings and syncs.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Your own views of the inbox: names with queries.
    #[command(subcommand)]
    Split(Split),
    /// What is done by itself with items that match a query.
    #[command(subcommand)]
    Rule(Rule),
    /// Flows: what is done by itself, in steps.
    #[command(subcommand)]
    Flow(Flow),
    /// Runs of flows, and what became of them.
    #[command(subcommand)]
    Run(Run),
    /// What runs ask you.
    #[command(subcommand)]
    Approval(Approval),
    /// What starts flows by itself.
    #[command(subcommand)]
    Trigger(Trigger),
    /// The way in from the internet for webhooks.
    #[command(subcommand)]
    Tunnel(Tunnel),
    /// Try expressions out.
    #[command(subcommand)]
    Expr(Expr),
    /// Secrets of accounts and of flows. Values are read from standard input and never shown.
    #[command(subcommand)]
    Secret(Secret),
    /// Queued work, and what failed for good.
    #[command(subcommand)]
    Job(Job),
    /// DevRig's own settings.
    #[command(subcommand)]
    Settings(Settings),
    /// Check, copy and restore the database.
    #[command(subcommand)]
    Db(Db),
    /// Print the completions of a shell: bash, zsh, fish, and others.
    Completions { shell: clap_complete::Shell },
    /// Check what DevRig needs from this machine, with a verdict and a remedy for each.
    Doctor,
    /// What DevRig does and takes at this moment.
    Metrics,
    /// What was refused, stopped or done in your name.
    Audit {
        /// Only this plugin or account.
        #[arg(long)]
        subject: Option<String>,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Page {
    /// How many rows.
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<u32>,
    /// Where the last page ended, as it printed it.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// What items are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum GroupBy {
    Day,
    Repository,
    Source,
    Thread,
}

/// Which items: by id, or all that match a query.
#[derive(Debug, Clone, Args)]
#[group(required = true)]
pub struct Items {
    /// Ids of items.
    #[arg(value_name = "ITEM", conflicts_with = "query")]
    pub ids: Vec<String>,
    /// Every item that matches this query instead.
    #[arg(long, short = 'q')]
    pub query: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Inbox {
    /// The newest items of the inbox, or of a query.
    List {
        /// In the query language, such as `is:unread repo:a/b`.
        query: Vec<String>,
        /// Under headings, the group of the newest item first. JSON stays one list.
        #[arg(long, value_enum)]
        group: Option<GroupBy>,
        #[command(flatten)]
        page: Page,
    },
    /// Items that contain words; operators work too.
    Search {
        #[arg(required = true)]
        query: Vec<String>,
        #[command(flatten)]
        page: Page,
    },
    /// One item, whole.
    Show { item: String },
    /// Mark as read.
    Read(Items),
    /// Mark as unread.
    Unread(Items),
    /// Mark as done.
    Done {
        #[command(flatten)]
        items: Items,
        /// Bring back instead.
        #[arg(long)]
        not: bool,
    },
    /// Hide until a time.
    Snooze {
        #[command(flatten)]
        items: Items,
        /// Such as 3h, "in 2 days", "next tue 9am", 2026-11-20T09:30:00Z, "until new activity",
        /// "when merged".
        #[arg(long, required_unless_present = "not")]
        until: Option<String>,
        /// Bring back now instead.
        #[arg(long)]
        not: bool,
    },
    /// Star.
    Star {
        #[command(flatten)]
        items: Items,
        #[arg(long)]
        not: bool,
    },
    /// Mute the thread.
    Mute {
        #[command(flatten)]
        items: Items,
        #[arg(long)]
        not: bool,
    },
    /// Put labels of your own on items, or take them off.
    Label {
        #[command(flatten)]
        items: Items,
        #[arg(long, value_name = "LABEL")]
        add: Vec<String>,
        #[arg(long, value_name = "LABEL")]
        remove: Vec<String>,
    },
    /// Set your own priority.
    Priority {
        #[command(flatten)]
        items: Items,
        /// urgent, high, normal, low, or none to leave it to the source.
        #[arg(long)]
        set: String,
    },
    /// Take the last operation back, or the one named.
    Undo { operation: Option<String> },
    /// Do again what was last undone.
    Redo,
    /// What was done, by whom.
    History {
        #[command(flatten)]
        page: Page,
    },
    /// Numbers.
    Stats,
    /// What is unread in the splits with a badge, as the tray shows it; for status bars.
    Attention,
    /// Run a plugin's action on an item.
    Action {
        item: String,
        /// Such as `git.fetch`.
        action: String,
        /// The action's input as JSON.
        #[arg(long, default_value = "{}")]
        input: String,
    },
    /// What waits to be sent to the sources.
    Outbox {
        /// Cancel this one while it waits.
        #[arg(long, value_name = "ID")]
        cancel: Option<String>,
        /// Send this failed one again.
        #[arg(long, value_name = "ID", conflicts_with = "cancel")]
        retry: Option<String>,
        /// Take this failed one off the list.
        #[arg(long, value_name = "ID", conflicts_with_all = ["cancel", "retry"])]
        discard: Option<String>,
    },
    /// Store items from JSON lines: one object of the SDK's `InboxItemInput` each.
    Import {
        /// A file, or `-` for standard input.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// What is installed, with its state.
    List,
    /// One plugin, whole: permissions, accounts, settings, actions.
    Show {
        plugin: String,
    },
    /// Install from a folder that holds `devrig-plugin.json`.
    Install {
        path: PathBuf,
    },
    /// Remove a plugin; its items stay unless --purge.
    Uninstall {
        plugin: String,
        /// Delete its items too.
        #[arg(long)]
        purge: bool,
    },
    Enable {
        plugin: String,
    },
    Disable {
        plugin: String,
    },
    /// Allow what a plugin asks for.
    Grant {
        plugin: String,
        #[arg(required_unless_present = "all")]
        permissions: Vec<String>,
        /// All that its manifest declares.
        #[arg(long, conflicts_with = "permissions")]
        all: bool,
        #[command(flatten)]
        account: Account,
    },
    /// Take permissions back.
    Revoke {
        plugin: String,
        #[arg(required = true)]
        permissions: Vec<String>,
        #[command(flatten)]
        account: Account,
    },
    /// Connect an account: store the secret from standard input, check it, show whose it is.
    Connect {
        plugin: String,
        /// Check the secret that is stored, and read nothing.
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        account: Account,
    },
    /// Show or change an account's settings.
    Settings {
        plugin: String,
        /// KEY=VALUE; the value is JSON, or text when it is not. Repeatable.
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        #[command(flatten)]
        account: Account,
    },
    /// Accounts of a plugin.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Sync now and wait for the end.
    Sync {
        plugin: String,
        /// Only this data source.
        #[arg(long)]
        source: Option<String>,
        /// Set how often it syncs from now on, in seconds, instead of syncing.
        #[arg(long, value_name = "SECONDS", requires = "source")]
        every: Option<u64>,
        /// Leave it alone in these hours from now on, such as "22:00-07:00 Europe/Berlin"; "" for none.
        #[arg(long, value_name = "HOURS", requires = "source")]
        quiet: Option<String>,
        #[command(flatten)]
        account: Account,
    },
    /// How the syncs go.
    Status,
    /// Check a plugin's folder without installing it.
    Check {
        dir: PathBuf,
    },
    /// What a plugin logged.
    Logs {
        plugin: String,
        #[command(flatten)]
        account: Account,
        #[arg(long, short = 'n')]
        limit: Option<u32>,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Account {
    /// The account's id or name, where the plugin has several.
    #[arg(long)]
    pub account: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    Add {
        plugin: String,
        name: String,
    },
    List {
        plugin: Option<String>,
    },
    Remove {
        plugin: String,
        account: String,
        #[arg(long)]
        purge: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Split {
    /// In their order, with what is in them.
    List,
    Add {
        name: String,
        /// In the query language; without a place it means the inbox.
        #[arg(required = true)]
        query: Vec<String>,
        /// Its place, from 1; the last when absent.
        #[arg(long)]
        at: Option<usize>,
        /// Notify of what comes into it.
        #[arg(long)]
        notify: bool,
        /// Count what is unread in it on the tray icon.
        #[arg(long)]
        badge: bool,
    },
    Remove {
        name: String,
    },
    /// All as text, a line each: `Name [notify, badge] = query`.
    Export,
    /// Replace all by those of a text.
    Import {
        /// A file, or `-` for standard input.
        file: PathBuf,
    },
}

/// When, and what then.
#[derive(Debug, Clone, Args)]
pub struct RuleSays {
    /// Which items, in the query language; without a place it means the inbox.
    #[arg(long, short = 'q')]
    pub query: String,
    /// done, read, star, mute, notify, label=NAME, priority=LEVEL or snooze=WHEN. Repeatable.
    #[arg(long = "do", value_name = "STEP", required = true)]
    pub steps: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum Rule {
    /// All rules, in the order in which they are tried.
    List,
    /// Make a rule. It applies to what sources bring or change from now on.
    Add {
        name: String,
        #[command(flatten)]
        says: RuleSays,
    },
    /// What a rule would do to the items that there are; changes nothing.
    Try {
        #[command(flatten)]
        says: RuleSays,
    },
    Enable {
        /// Its name or id.
        rule: String,
    },
    Disable {
        rule: String,
    },
    Delete {
        rule: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Store the value that standard input holds: a secret of flows, unless a plugin is named.
    Set {
        name: String,
        #[arg(long)]
        plugin: Option<String>,
        #[command(flatten)]
        account: Account,
    },
    /// Names, never values.
    List,
    Delete {
        name: String,
        #[arg(long)]
        plugin: Option<String>,
        #[command(flatten)]
        account: Account,
    },
    /// What opens the secrets, and whether it does now.
    Status,
    /// Unlock the keychain, or read the passphrase from standard input where one is in use.
    Unlock,
    /// Seal every secret anew under a fresh key.
    Rotate,
    /// Change what keeps the key, which also makes a fresh one.
    Keep {
        /// `passphrase` reads a new one from standard input; it is asked for after each start.
        #[arg(value_enum)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Place {
    Keychain,
    Passphrase,
}

#[derive(Debug, Subcommand)]
pub enum Job {
    List {
        /// pending, running, completed, dead, cancelled.
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// What failed for good, with every attempt.
    Dead {
        #[command(flatten)]
        page: Page,
    },
    /// Try a dead job again.
    Retry {
        job: String,
    },
    /// Remove a dead job.
    Discard {
        job: String,
    },
    Stats,
}

#[derive(Debug, Subcommand)]
pub enum Settings {
    /// One setting, or all.
    Get { key: Option<String> },
    /// The value is JSON, or text when it is not.
    Set { key: String, value: String },
}

#[derive(Debug, Subcommand)]
pub enum Db {
    /// Read every page, index and reference.
    Check,
    /// Copy the database; without a file into the backups folder.
    Backup { file: Option<PathBuf> },
    /// Delete runs of flows whose time is over, and give their space back to the disk.
    Clean {
        /// Keep those that completed or were cancelled for so many days, instead of as long as the
        /// settings say; 0 keeps none.
        #[arg(long, value_name = "N")]
        days: Option<u32>,
        /// The same for those that failed.
        #[arg(long, value_name = "N")]
        failed_days: Option<u32>,
    },
    /// Put a copy in the place of the database. DevRig must not be running.
    Restore { file: PathBuf },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_arguments_have_one_name() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wait_may_have_a_limit() {
        let wait = |words: &[&str]| {
            let words = ["devrig", "flow", "run", "digest"].iter().chain(words);
            match Cli::try_parse_from(words).expect("it is understood").command {
                Command::Flow(Flow::Run { wait, of, .. }) => (wait, of.version),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait(&[]), (None, None));
        assert_eq!(wait(&["--wait", "--version", "3"]), (Some(None), Some(3)));
        assert_eq!(wait(&["--wait", "5"]), (Some(Some(5)), None));
    }
}
