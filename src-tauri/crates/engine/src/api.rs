//! Every call that the window, the command line, guests and scripts can make: one list.
//!
//! [`calls!`] hands the list to a macro of the caller's choice. From it come the [`Api`] trait, the
//! engine's and the guest's implementations, the socket's dispatch, the table [`CALLS`], the
//! window's commands and the TypeScript. A call is added here and nowhere else.

pub mod approval;
pub mod engine;
pub mod expr;
pub mod flow;
pub mod inbox;
pub mod job;
pub mod metrics;
pub mod plugin;
pub mod rule;
pub mod run;
pub mod secret;
pub mod settings;
pub mod split;
pub mod trigger;
pub mod tunnel;

use devrig_core::{Error, Result, Tag};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Engine;
use crate::events::EventStream;

/// Hands the list of calls to the macro `$with`, in the form
/// `read|write name = module::function(Arguments) -> Answer [Tags];`. A read names the tags that it
/// depends on, a write those that it makes stale.
#[macro_export]
macro_rules! calls {
    ($with:ident) => {
        $with! {
            read engine_info = engine::info(NoArgs) -> engine::EngineInfo [Health, Accounts];
            read engine_doctor = engine::doctor(NoArgs) -> Vec<engine::Verdict> [Health];
            write engine_stop = engine::stop(NoArgs) -> () [Health];
            read engine_logs = engine::logs(engine::LogsArgs) -> Vec<String> [Logs];
            read engine_audit = engine::audit(engine::AuditArgs) -> Vec<engine::AuditRow> [Logs];

            read inbox_list = inbox::list(inbox::InboxListArgs) -> inbox::Page [Items];
            read inbox_get = inbox::get(inbox::ItemArgs) -> inbox::Item [Items];
            read inbox_stats = inbox::stats(NoArgs) -> inbox::InboxStats [Counts];
            read inbox_count = inbox::count(inbox::QueryArgs) -> inbox::Counted [Counts];
            read inbox_attention = inbox::attention(NoArgs) -> inbox::Attention [Counts, Items, Settings];
            read inbox_check_query = inbox::check_query(inbox::QueryArgs) -> inbox::QueryCheck [];
            read inbox_when = inbox::when(inbox::WhenArgs) -> inbox::When [];
            write inbox_operate = inbox::operate(inbox::OperateArgs) -> inbox::OperationDone [Items, Counts, Operations];
            write inbox_undo = inbox::undo(inbox::UndoArgs) -> inbox::OperationDone [Items, Counts, Operations, Outbox];
            write inbox_redo = inbox::redo(NoArgs) -> inbox::OperationDone [Items, Counts, Operations, Outbox];
            read inbox_operations = inbox::operations(inbox::HistoryArgs) -> Vec<inbox::OperationRow> [Operations];
            write inbox_import = inbox::import(inbox::ImportArgs) -> inbox::Imported [Items, Counts];
            write inbox_action = inbox::action(inbox::ActionArgs) -> inbox::OutboxRow [Items, Operations, Outbox];
            write inbox_open = inbox::open(inbox::ItemArgs) -> () [];
            read outbox_list = inbox::outbox_list(NoArgs) -> Vec<inbox::OutboxRow> [Outbox];
            write outbox_cancel = inbox::outbox_cancel(inbox::OutboxArgs) -> () [Outbox, Items, Operations];
            write outbox_retry = inbox::outbox_retry(inbox::OutboxArgs) -> () [Outbox, Items];
            write outbox_discard = inbox::outbox_discard(inbox::OutboxArgs) -> () [Outbox, Items];

            read plugin_list = plugin::list(NoArgs) -> Vec<plugin::PluginInfo> [Plugins, Accounts];
            write plugin_install = plugin::install(plugin::InstallArgs) -> plugin::PluginInfo [Plugins, Accounts, Sync];
            read plugin_check = plugin::check(plugin::InstallArgs) -> Vec<plugin::Problem> [];
            write plugin_uninstall = plugin::uninstall(plugin::UninstallArgs) -> () [Plugins, Accounts, Sync, Items, Counts];
            write plugin_toggle = plugin::toggle(plugin::ToggleArgs) -> plugin::PluginInfo [Plugins, Accounts, Sync];
            read plugin_logs = plugin::logs(plugin::PluginLogsArgs) -> Vec<plugin::LogLine> [Logs];
            write account_add = plugin::account_add(plugin::AccountAddArgs) -> plugin::AccountInfo [Plugins, Accounts, Sync];
            write account_remove = plugin::account_remove(plugin::AccountRemoveArgs) -> () [Plugins, Accounts, Sync, Items, Counts];
            write account_rename = plugin::account_rename(plugin::AccountRenameArgs) -> plugin::AccountInfo [Plugins, Accounts];
            write account_configure = plugin::account_configure(plugin::AccountConfigureArgs) -> plugin::AccountInfo [Plugins, Accounts, Sync];
            write account_check = plugin::account_check(plugin::AccountArgs) -> plugin::AccountInfo [Plugins, Accounts];
            write account_grant = plugin::account_grant(plugin::GrantArgs) -> plugin::AccountInfo [Plugins, Accounts, Sync];
            write account_revoke = plugin::account_revoke(plugin::RevokeArgs) -> plugin::AccountInfo [Plugins, Accounts, Sync];
            read sync_status = plugin::sync_status(NoArgs) -> Vec<plugin::SyncStatus> [Sync];
            write sync_now = plugin::sync_now(plugin::SyncArgs) -> () [Sync];
            write sync_configure = plugin::sync_configure(plugin::SyncConfigureArgs) -> plugin::SyncStatus [Sync];

            read split_list = split::list(NoArgs) -> Vec<split::SplitInfo> [Settings, Counts, Items];
            write split_set = split::set(split::SplitsArgs) -> Vec<split::SplitInfo> [Settings];
            read rule_list = rule::list(NoArgs) -> Vec<rule::Rule> [Rules];
            write rule_save = rule::save(rule::RuleSaveArgs) -> rule::Rule [Rules];
            write rule_delete = rule::delete(rule::RuleArgs) -> () [Rules];
            read rule_try = rule::try_out(rule::RuleTryArgs) -> rule::DryRun [Items];

            read flow_list = flow::list(NoArgs) -> Vec<flow::FlowInfo> [Flows];
            read flow_get = flow::get(flow::FlowVersionArgs) -> flow::FlowDetail [Flows];
            write flow_save = flow::save(flow::FlowSaveArgs) -> flow::FlowSaved [Flows];
            read flow_validate = flow::validate(flow::FlowValidateArgs) -> Vec<flow::Problem> [Flows];
            write flow_publish = flow::publish(flow::FlowVersionArgs) -> flow::FlowInfo [Flows];
            write flow_enable = flow::enable(flow::FlowEnableArgs) -> flow::FlowInfo [Flows];
            read flow_versions = flow::versions(flow::FlowArgs) -> Vec<flow::FlowVersion> [Flows];
            read flow_diff = flow::diff(flow::FlowDiffArgs) -> flow::Changes [Flows];
            write flow_restore = flow::restore(flow::FlowRestoreArgs) -> flow::FlowInfo [Flows];
            write flow_delete = flow::delete(flow::FlowArgs) -> () [Flows, Runs];
            read flow_export = flow::export(flow::FlowVersionArgs) -> flow::FlowExport [Flows];
            read flow_files = flow::files(NoArgs) -> flow::FlowFolder [Flows, Settings];
            read flow_convert = flow::convert(flow::FlowConvertArgs) -> flow::FlowConverted [Flows];
            read flow_permissions = flow::permissions(flow::FlowArgs) -> flow::FlowPermissions [Flows];
            write flow_permit = flow::permit(flow::FlowPermitArgs) -> flow::FlowPermissions [Flows];
            read flow_actions = flow::actions(NoArgs) -> Vec<flow::FlowAction> [Plugins];
            read flow_format = flow::format(NoArgs) -> flow::Format [];
            write flow_run = flow::run(flow::FlowRunArgs) -> run::RunDetail [Runs];
            read flow_backtest = flow::backtest(flow::FlowBacktestArgs) -> flow::Backtest [Flows, Runs];
            read flow_test = flow::test(flow::FlowTestArgs) -> Vec<flow::FlowTest> [Flows];
            write flow_run_node = flow::run_node(flow::FlowRunNodeArgs) -> run::RunDetail [Runs];
            write flow_run_from = flow::run_from(flow::FlowRunFromArgs) -> run::RunDetail [Runs];
            read run_list = run::list(run::RunListArgs) -> Vec<run::RunInfo> [Runs, Flows];
            read run_get = run::get(run::RunGetArgs) -> run::RunDetail [Runs, Flows];
            write run_cancel = run::cancel(run::RunArgs) -> () [Runs];
            write run_decide = run::decide(run::RunDecideArgs) -> () [Runs];
            write run_retry = run::retry(run::RunAgainArgs) -> run::RunDetail [Runs];
            write run_replay = run::replay(run::RunAgainArgs) -> run::RunDetail [Runs];
            write run_discard = run::discard(run::RunArgs) -> () [Runs];
            read approval_list = approval::list(NoArgs) -> Vec<approval::Approval> [Runs];
            write approval_answer = approval::answer(approval::ApprovalArgs) -> () [Runs];
            read trigger_list = trigger::list(NoArgs) -> Vec<trigger::TriggerInfo> [Flows, Runs];
            read trigger_get = trigger::get(trigger::TriggerArgs) -> trigger::TriggerDetail [Flows, Runs];
            write trigger_pause = trigger::pause(trigger::TriggerPauseArgs) -> () [Flows];
            write trigger_fire = trigger::fire(trigger::TriggerFireArgs) -> trigger::TriggerFired [Runs];
            read trigger_events = trigger::events(trigger::TriggerEventsArgs) -> Vec<trigger::TriggerEvent> [Runs];
            read trigger_event = trigger::event(trigger::TriggerEventArgs) -> trigger::TriggerEventDetail [Runs];
            read tunnel_status = tunnel::status(NoArgs) -> tunnel::TunnelStatus [Flows];
            write tunnel_start = tunnel::start(tunnel::TunnelStartArgs) -> tunnel::TunnelStatus [];
            write tunnel_stop = tunnel::stop(NoArgs) -> () [];
            read expr_eval = expr::eval(expr::ExprEvalArgs) -> expr::ExprAnswer [];
            read expr_reference = expr::reference(NoArgs) -> expr::ExprReference [];
            read expr_cron_next = expr::cron_next(expr::CronNextArgs) -> Vec<devrig_core::Timestamp> [];

            read secret_list = secret::list(NoArgs) -> Vec<secret::SecretInfo> [Secrets];
            write secret_set = secret::set(secret::SecretSetArgs) -> () [Secrets, Accounts, Plugins, Sync];
            write secret_delete = secret::delete(secret::SecretArgs) -> () [Secrets, Accounts, Plugins, Sync];
            read keychain_status = secret::keychain_status(NoArgs) -> secret::KeychainStatus [Health];
            write keychain_unlock = secret::keychain_unlock(secret::UnlockArgs) -> secret::KeychainStatus [Health, Sync];
            write keychain_keep = secret::keychain_keep(secret::KeepArgs) -> secret::KeychainStatus [Health, Sync];

            read job_list = job::list(job::JobListArgs) -> job::JobPage [Jobs];
            read job_stats = job::stats(NoArgs) -> job::JobStats [Jobs];
            write job_retry = job::retry(job::JobArgs) -> () [Jobs];
            write job_discard = job::discard(job::JobArgs) -> () [Jobs];

            read settings_get = settings::get(settings::SettingArgs) -> serde_json::Value [Settings];
            read settings_all = settings::all(NoArgs) -> std::collections::BTreeMap<String, serde_json::Value> [Settings];
            write settings_set = settings::set(settings::SettingSetArgs) -> () [Settings];
            read metrics = metrics::metrics(NoArgs) -> metrics::Metrics [Runs, Jobs, Counts, Sync, Health];
            read db_check = settings::db_check(NoArgs) -> settings::Check [Health];
            write db_backup = settings::db_backup(settings::BackupArgs) -> String [];
            write db_clean = settings::db_clean(settings::CleanArgs) -> settings::DbCleaned [Runs, Health];
        }
    };
}

/// For calls that take nothing.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// Whether a call changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CallKind {
    Read,
    Write,
}

/// What is known of a call without making it.
#[derive(Debug, Clone, Serialize)]
pub struct CallInfo {
    pub name: &'static str,
    pub kind: CallKind,
    /// A read depends on these; a write makes them stale.
    pub tags: &'static [Tag],
}

macro_rules! kind {
    (read) => {
        CallKind::Read
    };
    (write) => {
        CallKind::Write
    };
}

macro_rules! define_api {
    ($($kind:ident $name:ident = $module:ident :: $function:ident ($args:ty) -> $answer:ty [$($tag:ident),*];)*) => {
        /// Everything that can be asked of DevRig. The engine answers in its own process; a guest
        /// passes the question to the owner. Callers do not care which they have.
        #[async_trait::async_trait]
        pub trait Api: Send + Sync {
            $(async fn $name(&self, args: $args) -> Result<$answer>;)*

            /// What changes from now on.
            async fn events(&self) -> Result<EventStream>;

            /// `owner` or `guest`.
            fn role(&self) -> engine::Role;
        }

        /// Every call, for documentation, the window's refresh rules and tests.
        pub const CALLS: &[CallInfo] = &[
            $(CallInfo { name: stringify!($name), kind: kind!($kind), tags: &[$(Tag::$tag),*] },)*
        ];

        #[async_trait::async_trait]
        impl Api for Engine {
            $(async fn $name(&self, args: $args) -> Result<$answer> {
                $module::$function(self, args).await
            })*

            async fn events(&self) -> Result<EventStream> {
                Ok(self.subscribe())
            }

            fn role(&self) -> engine::Role {
                engine::Role::Owner
            }
        }

        #[async_trait::async_trait]
        impl Api for crate::socket::Guest {
            $(async fn $name(&self, args: $args) -> Result<$answer> {
                self.call(stringify!($name), &args).await
            })*

            async fn events(&self) -> Result<EventStream> {
                self.subscribe().await
            }

            fn role(&self) -> engine::Role {
                engine::Role::Guest
            }
        }

        /// Makes a call by its name, with JSON in and out.
        pub async fn dispatch(api: &dyn Api, name: &str, args: Value) -> Result<Value> {
            match name {
                $(stringify!($name) => {
                    let args = serde_json::from_value(args).map_err(|error| {
                        Error::invalid(format!("the arguments of {name} are not valid: {error}"))
                    })?;
                    let answer: $answer = api.$name(args).await?;
                    Ok(serde_json::to_value(answer)?)
                })*
                _ => Err(Error::not_found(format!("the call {name:?}"))),
            }
        }
    };
}

calls!(define_api);
