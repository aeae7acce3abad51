//! Plugins, accounts, permissions, settings, syncs.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use devrig_core::{Code, Error, Result, SystemClock};
use devrig_engine::api::plugin::{
    AccountAddArgs, AccountArgs, AccountConfigureArgs, AccountInfo, AccountRemoveArgs, GrantArgs,
    InstallArgs, PluginInfo, PluginLogsArgs, RevokeArgs, SyncArgs, SyncConfigureArgs, SyncState,
    SyncStatus, ToggleArgs, UninstallArgs,
};
use devrig_engine::api::secret::SecretSetArgs;
use devrig_engine::{Api, NoArgs};
use serde_json::{Map, Value};

use super::secret::read_value;
use super::settings::value_of;
use crate::args::{AccountCommand, Plugin};
use crate::output::{Output, Progress, facts, table};

pub async fn run(command: Plugin, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Plugin::List => {
            let plugins = api.plugin_list(NoArgs {}).await?;
            output.show(&plugins, |plugins| list(plugins))
        }
        Plugin::Show { plugin } => output.show(&find(api, &plugin).await?, show),
        Plugin::Install { path } => {
            let plugin = api.plugin_install(InstallArgs { path: whole(&path)? }).await?;
            output.show(&plugin, |plugin| {
                format!(
                    "{} {} is installed. It asks for:\n{}\nAllow it with: devrig plugin grant {} --all",
                    plugin.display_name, plugin.version, permissions(plugin), plugin.name
                )
            })
        }
        Plugin::Uninstall { plugin, purge } => {
            let name = find(api, &plugin).await?.name;
            api.plugin_uninstall(UninstallArgs { name, purge_items: purge }).await?;
            output.done("Uninstalled.")
        }
        Plugin::Enable { plugin } => toggle(&plugin, true, api, output).await,
        Plugin::Disable { plugin } => toggle(&plugin, false, api, output).await,
        Plugin::Grant { plugin, permissions, all, account } => {
            let account = find_account(api, &plugin, account.account.as_deref()).await?;
            let permissions = (!all).then_some(permissions);
            let account = api.account_grant(GrantArgs { id: account.id, permissions }).await?;
            output.show(&account, granted)
        }
        Plugin::Revoke { plugin, permissions, account } => {
            let mut account = find_account(api, &plugin, account.account.as_deref()).await?;
            for permission in permissions {
                account = api.account_revoke(RevokeArgs { id: account.id, permission }).await?;
            }
            output.show(&account, granted)
        }
        Plugin::Connect { plugin, check, account } => {
            let account = find_account(api, &plugin, account.account.as_deref()).await?;
            connect(account, check, api, output).await
        }
        Plugin::Settings { plugin, set, account } => {
            let account = find_account(api, &plugin, account.account.as_deref()).await?;
            settings(account, &set, api, output).await
        }
        Plugin::Account(command) => accounts(command, api, output).await,
        Plugin::Sync { plugin, source, every, quiet, account } => {
            let account = find_account(api, &plugin, account.account.as_deref()).await?;
            match source {
                Some(source) if every.is_some() || quiet.is_some() => {
                    let args = SyncConfigureArgs {
                        account: account.id,
                        source,
                        interval_ms: every.map(|seconds| seconds as f64 * 1000.0),
                        enabled: None,
                        quiet_hours: quiet,
                    };
                    let status = api.sync_configure(args).await?;
                    output.show(&status, |status| statuses(std::slice::from_ref(status)))
                }
                source => sync(account, source, api, output).await,
            }
        }
        Plugin::Status => {
            let status = api.sync_status(NoArgs {}).await?;
            output.show(&status, |status| statuses(status))
        }
        Plugin::Check { dir } => check(&dir, api, output).await,
        Plugin::Logs { plugin, account, limit } => {
            let name = find(api, &plugin).await?.name;
            let account = match account.account {
                Some(account) => Some(find_account(api, &plugin, Some(&account)).await?.id),
                None => None,
            };
            let args = PluginLogsArgs { plugin: name, account, before: None, limit };
            let lines = api.plugin_logs(args).await?;
            output.show(&lines, |lines| {
                let line = |line: &devrig_engine::api::plugin::LogLine| {
                    format!("{} {:5} {}", line.at, line.level, line.message)
                };
                lines.iter().map(line).collect::<Vec<_>>().join("\n")
            })
        }
    }
}

/// By its whole name, or by what follows `devrig-plugin-`.
async fn find(api: &dyn Api, name: &str) -> Result<PluginInfo> {
    let plugins = api.plugin_list(NoArgs {}).await?;
    let known: Vec<String> = plugins.iter().map(|plugin| plugin.name.clone()).collect();
    plugins
        .into_iter()
        .find(|plugin| plugin.name == name || plugin.name == format!("devrig-plugin-{name}"))
        .ok_or_else(|| {
            Error::not_found(format!("the plugin {name:?}"))
                .hint(format!("Installed: {}.", known.join(", ")))
        })
}

/// The account of that id or name, or the only one.
pub async fn find_account(
    api: &dyn Api,
    plugin: &str,
    account: Option<&str>,
) -> Result<AccountInfo> {
    let plugin = find(api, plugin).await?;
    let names: Vec<String> = plugin.accounts.iter().map(|account| account.name.clone()).collect();
    let mut accounts = plugin.accounts;
    match account {
        Some(wanted) => accounts
            .into_iter()
            .find(|account| account.id.as_str() == wanted || account.name == wanted)
            .ok_or_else(|| {
                Error::not_found(format!("the account {wanted:?} of {}", plugin.name))
                    .hint(format!("It has: {}.", names.join(", ")))
            }),
        None if accounts.len() == 1 => Ok(accounts.remove(0)),
        None => Err(Error::invalid(format!("{} has {} accounts", plugin.name, accounts.len()))
            .hint(format!("Say which with --account: {}.", names.join(", ")))),
    }
}

/// The owner may run in another folder.
fn whole(path: &Path) -> Result<String> {
    Ok(std::path::absolute(path)?.display().to_string())
}

fn list(plugins: &[PluginInfo]) -> String {
    if plugins.is_empty() {
        return "No plugins.".to_owned();
    }
    table(
        ["PLUGIN", "VERSION", "STATE", "ACCOUNTS", ""],
        plugins.iter().map(|plugin| {
            let error = plugin.error.as_ref().map(|error| error.message.clone());
            let waiting = plugin.accounts.iter().find_map(|account| account.waiting.clone());
            [
                plugin.name.clone(),
                plugin.version.clone(),
                text_of(&plugin.state),
                plugin.accounts.len().to_string(),
                error.or(plugin.warning.clone()).or(waiting).unwrap_or_default(),
            ]
        }),
    )
}

/// As the JSON has it.
fn text_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn show(plugin: &PluginInfo) -> String {
    let accounts: Vec<String> = plugin
        .accounts
        .iter()
        .map(|account| format!("{} ({})  {}", account.name, account.id, account.settings))
        .collect();
    let actions: Vec<String> =
        plugin.actions.iter().map(|action| format!("{}  {}", action.id, action.name)).collect();
    let conditions = plugin.conditions.iter().map(|one| format!("{}  {}", one.id, one.name));
    let triggers = plugin.triggers.iter().map(|one| format!("{}  {}", one.id, one.name));
    let for_flows = [
        section("Conditions for flows", conditions.collect()),
        section("Triggers for flows", triggers.collect()),
    ];
    let head = facts(&[
        ("plugin", format!("{} {}", plugin.name, plugin.version)),
        ("state", text_of(&plugin.state)),
        ("error", plugin.error.as_ref().map_or_else(String::new, |error| error.message.clone())),
        ("warning", plugin.warning.clone().unwrap_or_default()),
        ("secrets", plugin.secrets.join(", ")),
    ]);
    format!(
        "{}\n{}\n\n{head}\n\nAsks for\n{}\n\nAccounts\n{}\n\nActions\n{}{}",
        plugin.display_name,
        plugin.description,
        permissions(plugin),
        accounts.join("\n"),
        actions.join("\n"),
        for_flows.concat()
    )
}

/// A list with its title, where there is anything in it.
fn section(title: &str, lines: Vec<String>) -> String {
    match lines.is_empty() {
        true => String::new(),
        false => format!("\n\n{title}\n{}", lines.join("\n")),
    }
}

fn permissions(plugin: &PluginInfo) -> String {
    plugin
        .permissions
        .iter()
        .map(|permission| {
            let wide = if permission.wide { "  (wide)" } else { "" };
            format!("  {}  {}{wide}", permission.permission, permission.words)
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn granted(account: &AccountInfo) -> String {
    if account.granted.is_empty() {
        return format!("{} may do nothing.", account.name);
    }
    format!("{} may use: {}", account.name, account.granted.join(", "))
}

async fn toggle(plugin: &str, enabled: bool, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let name = find(api, plugin).await?.name;
    let plugin = api.plugin_toggle(ToggleArgs { name, enabled }).await?;
    output.show(&plugin, |plugin| format!("{} is {}", plugin.name, text_of(&plugin.state)))
}

async fn connect(
    account: AccountInfo,
    check_only: bool,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let Some(connect) = account.connect else {
        return Err(Error::new(Code::Unsupported, format!("{} needs no secret", account.plugin))
            .hint("`devrig plugin show` says what it needs."));
    };
    if !check_only {
        if std::io::stdin().is_terminal() {
            let page = connect.url.map(|url| format!(" You get one at {url}")).unwrap_or_default();
            eprintln!("{}: {}{page}", connect.title, connect.description);
        }
        let value = read_value()?;
        let args = SecretSetArgs { account: Some(account.id.clone()), name: connect.secret, value };
        api.secret_set(args).await?;
    }
    let account = api.account_check(AccountArgs { id: account.id }).await?;
    output.show(&account, connection)?;
    let works = account.connection.is_some_and(|state| state.error.is_none());
    Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whose secret it is, and what is wrong with it.
fn connection(account: &AccountInfo) -> String {
    let Some(state) = &account.connection else { return String::new() };
    if let Some(error) = &state.error {
        let hint = error.hint.as_deref().unwrap_or_default();
        return format!("Not connected: {}. {hint}", error.message).trim_end().to_owned();
    }
    let mut text = format!("Connected as {}", state.identity.as_deref().unwrap_or("?"));
    if let Some(detail) = &state.detail {
        text.push_str(&format!(" ({detail})"));
    }
    for warning in &state.warnings {
        text.push_str(&format!("\nNote: {warning}"));
    }
    text
}

async fn settings(
    account: AccountInfo,
    set: &[String],
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    if set.is_empty() {
        return output.show(&account.settings, |settings| {
            serde_json::to_string_pretty(settings).unwrap_or_default()
        });
    }
    let mut settings = match account.settings {
        Value::Object(settings) => settings,
        _ => Map::new(),
    };
    for pair in set {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Error::invalid(format!("{pair:?} is not KEY=VALUE"))
                .hint("Write it as --set folders='[\"/home/me/src\"]'.")
        })?;
        settings.insert(key.to_owned(), value_of(value));
    }
    let settings = Value::Object(settings);
    let account = api.account_configure(AccountConfigureArgs { id: account.id, settings }).await?;
    output.show(&account.settings, |settings| {
        serde_json::to_string_pretty(settings).unwrap_or_default()
    })
}

async fn accounts(command: AccountCommand, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        AccountCommand::Add { plugin, name } => {
            let plugin = find(api, &plugin).await?.name;
            let account = api.account_add(AccountAddArgs { plugin, name }).await?;
            output.show(&account, |account| format!("{} is {}", account.name, account.id))
        }
        AccountCommand::List { plugin } => {
            let plugins = match plugin {
                Some(plugin) => vec![find(api, &plugin).await?],
                None => api.plugin_list(NoArgs {}).await?,
            };
            let accounts: Vec<AccountInfo> =
                plugins.into_iter().flat_map(|plugin| plugin.accounts).collect();
            output.show(&accounts, |accounts| {
                table(
                    ["ACCOUNT", "NAME", "PLUGIN", ""],
                    accounts.iter().map(|account| {
                        let waiting =
                            account.waiting.clone().unwrap_or_else(|| connection(account));
                        [
                            account.id.to_string(),
                            account.name.clone(),
                            account.plugin.clone(),
                            waiting,
                        ]
                    }),
                )
            })
        }
        AccountCommand::Remove { plugin, account, purge } => {
            let account = find_account(api, &plugin, Some(&account)).await?;
            api.account_remove(AccountRemoveArgs { id: account.id, purge_items: purge }).await?;
            output.done("Removed.")
        }
    }
}

/// Longer than any single page of a sync may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Starts the syncs and waits until each has ended, well or not.
async fn sync(
    account: AccountInfo,
    source: Option<String>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let is_off = |status: &SyncStatus| status.state == SyncState::Disabled;
    let wanted = |status: &SyncStatus| {
        status.account == account.id
            && source.as_ref().is_none_or(|source| *source == status.source)
    };
    // As it is before: one that a quarantine switches off meanwhile is told of.
    let before = api.sync_status(NoArgs {}).await?.into_iter();
    let sources: Vec<String> = before
        .filter(|status| wanted(status) && !is_off(status))
        .map(|status| status.source)
        .collect();
    let concerned = |status: &SyncStatus| wanted(status) && sources.contains(&status.source);
    let args = SyncArgs { account: Some(account.id.clone()), source: source.clone() };
    let asked = SystemClock::shared().now();
    api.sync_now(args).await?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let progress = Progress::start(output, "syncing");
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now: Vec<SyncStatus> =
            api.sync_status(NoArgs {}).await?.into_iter().filter(concerned).collect();
        let ended = now.iter().all(|status| is_off(status) || status.is_over(asked));
        progress.say(far(&now));
        if ended || tokio::time::Instant::now() > deadline {
            drop(progress);
            output.show(&now, |now| statuses(now))?;
            let bad = |status: &SyncStatus| status.error.is_some() || !status.is_over(asked);
            let bad = now.iter().any(bad);
            return Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
    }
}

/// How far the syncs are, in a line.
fn far(statuses: &[SyncStatus]) -> String {
    let running = statuses.iter().filter(|status| status.state == SyncState::Syncing);
    let each = running.map(|status| match &status.progress {
        Some(progress) => {
            let total = progress.total.map(|total| format!("/{total}")).unwrap_or_default();
            let words = progress.message.as_deref().unwrap_or_default();
            format!("{} {}{total} {words}", status.name, progress.current)
        }
        None => status.name.clone(),
    });
    format!("syncing {}", each.collect::<Vec<_>>().join(", "))
}

fn statuses(statuses: &[SyncStatus]) -> String {
    if statuses.is_empty() {
        return "Nothing to sync.".to_owned();
    }
    table(
        ["PLUGIN", "SOURCE", "STATE", "LAST", "NEXT", "ITEMS", ""],
        statuses.iter().map(|status| {
            let time = |at: Option<devrig_core::Timestamp>| {
                at.map_or_else(|| "never".to_owned(), |at| at.to_string())
            };
            [
                status.plugin.clone(),
                status.source.clone(),
                text_of(&status.state),
                time(status.last_sync_at),
                time(status.next_sync_at),
                status.items_synced.to_string(),
                status.error.as_ref().map_or_else(String::new, |error| error.message.clone()),
            ]
        }),
    )
}

async fn check(dir: &Path, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let problems = api.plugin_check(InstallArgs { path: whole(dir)? }).await?;
    output.show(&problems, |problems| {
        if problems.is_empty() {
            return "The plugin is valid.".to_owned();
        }
        let line = |problem: &devrig_engine::api::plugin::Problem| {
            let mut place = problem.file.clone();
            if let Some(line) = problem.line {
                place.push_str(&format!(":{line}:{}", problem.column.unwrap_or(1)));
            }
            if let Some(field) = &problem.field {
                place.push_str(&format!(" {field}"));
            }
            match &problem.hint {
                Some(hint) => format!("{place}: {}\n    {hint}", problem.message),
                None => format!("{place}: {}", problem.message),
            }
        };
        problems.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
