//! The standing oracle of the hostile suite: one engine in which plugins misbehave while a
//! well-behaved one goes on working, somebody asks questions over the socket, and everything that
//! is said and stored is searched for secrets.

mod meter;
mod neighbour;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use devrig_core::Category;
use devrig_engine::NoArgs;
use devrig_engine::api::engine::{AuditArgs, AuditRow, LogsArgs};
use devrig_engine::api::inbox::{InboxListArgs, ItemArgs};
use devrig_engine::api::job::JobListArgs;
use devrig_engine::api::plugin::{AccountInfo, PluginLogsArgs, SyncState, SyncStatus, ToggleArgs};
use futures::StreamExt;
use serde_json::Value;

use crate::rig::Rig;
use crate::row::{Expect, Found, Row};
use crate::watch::{Used, Watch};
use crate::witness::{Secrets, Witness};
use meter::Meter;
use neighbour::Neighbour;
pub use neighbour::secret_of;

/// Hostile plugins at a time. The engine syncs three sources at once: one place is the neighbour's.
const AT_ONCE: usize = 2;
/// A row takes at most its budgets, and a busy machine's time.
const ROW: Duration = Duration::from_secs(120);
/// For so long the neighbour and the questions go on at least.
const SHORTEST: Duration = Duration::from_secs(3);
/// What 99 of 100 calls over the socket may take: 100 ms, and what a machine adds that runs other
/// tests beside this one. The figure itself is printed.
const ANSWERS_WITHIN: Duration = Duration::from_millis(100 + 250);

/// The engine under attack.
pub struct Arena {
    pub rig: Rig,
    pub secrets: Arc<Secrets>,
    watch: Watch,
    neighbour: Option<Neighbour>,
    bystander: AccountInfo,
    before: Value,
    before_files: BTreeMap<PathBuf, Vec<u8>>,
    meter: Option<Meter>,
    failures: Mutex<Vec<String>>,
    core_bytes: u64,
    begun: Instant,
    /// Plugins that misbehave: their folders may change.
    hostile: Mutex<Vec<String>>,
}

/// What was measured while the plugins misbehaved.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub used: Used,
    /// By how much this process grew.
    pub core_growth: u64,
    pub p99: Duration,
    pub slowest: Duration,
}

impl Arena {
    pub async fn open() -> Self {
        Self::of(Rig::start().await).await
    }

    /// On a rig with parts of its own, before anything was installed.
    pub async fn of(mut rig: Rig) -> Self {
        let secrets = Arc::<Secrets>::default();
        let inner = Arc::clone(&rig.api);
        rig.api = Arc::new(Witness { inner, secrets: Arc::clone(&secrets) });
        let account = neighbour::honest(&rig, &secrets, "neighbour").await;
        let bystander = neighbour::honest(&rig, &secrets, "bystander").await;
        let before = neighbour::state_of(&rig, &bystander).await;
        let before_files = neighbour::listing(&rig, &[]);
        let meter = Meter::start(&rig, &secrets).await;
        let neighbour = Neighbour::start(&rig, account).await;
        Self {
            watch: Watch::start(),
            core_bytes: crate::watch::core_memory(),
            begun: Instant::now(),
            rig,
            secrets,
            neighbour: Some(neighbour),
            bystander,
            before,
            before_files,
            meter: Some(meter),
            failures: Mutex::default(),
            hostile: Mutex::default(),
        }
    }

    /// The account of the plugin that only has data, for others to reach for.
    pub fn bystander(&self) -> &AccountInfo {
        &self.bystander
    }

    /// Notes what went wrong; the end of the arena tells it all.
    pub fn fail(&self, what: impl Into<String>) {
        let what = what.into();
        eprintln!("FAILED {what}");
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub fn check(&self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.fail(what);
        }
    }

    /// Runs the rows, some at a time, and judges each.
    pub async fn run(&self, rows: Vec<Row>) -> BTreeMap<String, Found> {
        let each = rows.into_iter().map(|row| async {
            let name = row.name.clone();
            let begun = Instant::now();
            let found = self.row(row).await;
            println!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
            (name, found)
        });
        futures::stream::iter(each).buffer_unordered(AT_ONCE).collect().await
    }

    async fn row(&self, row: Row) -> Found {
        let name = row.package.name.clone();
        self.hostile.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        let installed = self.rig.install_only(&row.package).await;
        let refusal = row.expect.iter().find_map(|expect| match expect {
            Expect::NotInstalled(reason) => Some(*reason),
            _ => None,
        });
        match (installed, refusal) {
            (Err(error), Some(reason)) => {
                let text = serde_json::to_string(&error).expect("errors are JSON");
                self.check(text.contains(reason), format!("{}: {reason:?} in {text}", row.name));
                let left = self.rig.home.plugins().join(&name);
                self.check(!left.exists(), format!("{}: something is left on disk", row.name));
                Found::default()
            }
            (Err(error), None) => {
                self.fail(format!("{}: is not installed: {error}", row.name));
                Found::default()
            }
            (Ok(_), Some(_)) => {
                self.fail(format!("{}: was installed", row.name));
                Found::default()
            }
            (Ok(plugin), None) => {
                let account = plugin.accounts.into_iter().next().expect("the first account");
                self.live(&row, &account).await
            }
        }
    }

    /// Installs a plugin and grants it what it asks for; the rest is up to the test.
    pub async fn admit(&self, row: &Row) -> AccountInfo {
        let name = row.package.name.clone();
        self.hostile.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        let plugin = self.rig.install_only(&row.package).await.expect("the package is installed");
        let account = plugin.accounts.into_iter().next().expect("the first account");
        if row.secret {
            neighbour::plant(&self.rig, &self.secrets, &account).await;
        }
        self.rig.grant_all(&account).await
    }

    async fn live(&self, row: &Row, account: &AccountInfo) -> Found {
        if row.secret {
            neighbour::plant(&self.rig, &self.secrets, account).await;
        }
        self.rig.grant_all(account).await;
        let Some(status) = self.ended(account).await else {
            self.fail(format!("{}: its sync did not end", row.name));
            return Found::default();
        };
        let found = self.found(account).await;
        for expect in &row.expect {
            if let Err(what) = self.judge(row, expect, &status, &found).await {
                let error = serde_json::to_string(&status.error).expect("errors are JSON");
                self.fail(format!("{}: {what}; {error}; {:?}", row.name, found.0));
            }
        }
        // Its next try would disturb the rows that follow.
        let off = ToggleArgs { name: row.package.name.clone(), enabled: false };
        if let Err(error) = self.rig.api.plugin_toggle(off).await {
            self.fail(format!("{}: cannot be disabled: {error}", row.name));
        }
        found
    }

    /// The first sync's end.
    pub async fn ended(&self, account: &AccountInfo) -> Option<SyncStatus> {
        let begun = Instant::now();
        while begun.elapsed() < ROW {
            let status = self.rig.status(&account.id).await;
            let ended = status.last_sync_at.is_some()
                || matches!(status.state, SyncState::Error | SyncState::Waiting);
            if ended && status.state != SyncState::Syncing {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// What the plugin kept in its last sync.
    pub async fn found(&self, account: &AccountInfo) -> Found {
        let query = format!("is:any type:note from:{}", account.id);
        let args = InboxListArgs { query, ..Default::default() };
        let page = self.rig.api.inbox_list(args).await.expect("a page");
        let Some(item) = page.items.into_iter().find(|item| item.title == "found") else {
            return Found::default();
        };
        let item = self.rig.api.inbox_get(ItemArgs { id: item.id }).await.expect("an item");
        match serde_json::from_str::<Value>(&item.body) {
            Ok(Value::Object(mut body)) => match body.remove("found") {
                Some(Value::Object(found)) => Found(found),
                _ => Found::default(),
            },
            _ => Found::default(),
        }
    }

    async fn judge(
        &self,
        row: &Row,
        expect: &Expect,
        status: &SyncStatus,
        found: &Found,
    ) -> Result<(), String> {
        let error = status.error.as_ref();
        match expect {
            Expect::Stopped if error.is_some_and(|error| error.category == Category::Plugin) => {}
            Expect::Stopped => return Err("was not stopped as a plugin's failure".to_owned()),
            Expect::Fails(codes) => {
                if !error.is_some_and(|error| codes.contains(&error.code.as_str())) {
                    return Err(format!("did not fail with {codes:?}"));
                }
            }
            Expect::Well if error.is_none() && !found.0.is_empty() => {}
            Expect::Well => return Err("did not live on".to_owned()),
            Expect::Found(what, value) if found.at(what) == value => {}
            Expect::Found(what, value) => return Err(format!("{what} is not {value}")),
            Expect::AllRefused(with) => {
                let fits = |value: &Value| {
                    let code = value.as_str().and_then(|text| text.strip_prefix('!'));
                    code.is_some_and(|code| with.contains(&code))
                };
                if let Some((what, _)) = found.0.iter().find(|(_, value)| !fits(value)) {
                    return Err(format!("{what} was not refused"));
                }
            }
            Expect::Audit(rule, verdict) => return self.audited(row, rule, verdict).await,
            Expect::NotInstalled(_) => return Err("was installed".to_owned()),
        }
        Ok(())
    }

    /// Waits for the record: it is written beside the answer, not before it.
    async fn audited(&self, row: &Row, rule: &str, verdict: &str) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let records = self.audit(&row.package.name).await;
            let fits = |record: &AuditRow| {
                (record.rule == rule || record.rule.starts_with(&format!("{rule}:")))
                    && (record.verdict == verdict || record.verdict == "quarantined")
                    && !record.action.is_empty()
            };
            if records.iter().any(fits) {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(3) {
                let known: Vec<_> = records
                    .iter()
                    .map(|record| format!("{} {} {}", record.rule, record.verdict, record.action))
                    .collect();
                return Err(format!("no audit record {rule} {verdict} among {known:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The records that name this plugin, newest first.
    pub async fn audit(&self, plugin: &str) -> Vec<AuditRow> {
        let args = AuditArgs { subject: Some(plugin.to_owned()), before: None, limit: Some(500) };
        self.rig.api.engine_audit(args).await.expect("the audit log")
    }

    /// Ends the attack, asks the standing oracle, and tells everything that went wrong.
    pub async fn close(mut self) -> Figures {
        // A short attack is followed by a moment in which everything has to be as usual.
        tokio::time::sleep(SHORTEST.saturating_sub(self.begun.elapsed())).await;
        let neighbour = self.neighbour.take().expect("it is taken here only");
        let (slowest_sync, wrong) = neighbour.end(&self.rig).await;
        // Before the witness reads the whole database into memory, which is the core's here.
        let used = self.watch.used();
        wrong.into_iter().for_each(|what| self.fail(what));
        let meter = self.meter.take().expect("it is taken here only");
        let mut calls = meter.end().await;
        calls.sort();
        let p99 = calls.get(calls.len() * 99 / 100).copied().unwrap_or(Duration::MAX);
        let slowest = calls.last().copied().unwrap_or(Duration::MAX);
        self.check(calls.len() > 50, format!("only {} calls were measured", calls.len()));
        self.check(p99 < ANSWERS_WITHIN, format!("99 of 100 calls took up to {p99:?}"));

        let after = neighbour::state_of(&self.rig, &self.bystander).await;
        let same = after == self.before;
        self.check(same, format!("others' rows changed:\n{}\n{after}", self.before));
        let changed = self.changed_files();
        self.check(changed.is_empty(), format!("files of others changed: {changed:?}"));

        let plugins = self.rig.api.plugin_list(NoArgs {}).await.expect("the plugins");
        self.secrets.look("the plugins", &serde_json::to_vec(&plugins).expect("JSON"));
        for plugin in plugins {
            let args = PluginLogsArgs {
                plugin: plugin.name.clone(),
                account: None,
                before: None,
                limit: Some(1_000),
            };
            // The witness looks into the answers.
            self.rig.api.plugin_logs(args).await.expect("its log");
        }
        self.rig.api.engine_logs(LogsArgs { limit: Some(100_000) }).await.expect("the log");
        self.rig
            .api
            .engine_audit(AuditArgs { limit: Some(5_000), ..AuditArgs::default() })
            .await
            .expect("the audit log");
        self.rig.api.job_list(JobListArgs::default()).await.expect("the jobs");
        self.secrets.look_into(self.rig.home.path());
        self.rig.connection.close().await;
        self.secrets.look_into(self.rig.home.path());
        let leaks = self.secrets.leaks();
        self.check(leaks.is_empty(), format!("a secret was seen in {leaks:?}"));

        let figures = Figures {
            used,
            core_growth: used.core_bytes.saturating_sub(self.core_bytes),
            p99,
            slowest,
        };
        println!(
            "{} calls over the socket: p99 {p99:?}, slowest {slowest:?}; the neighbour's slowest \
             sync {slowest_sync:?}; a worker's most CPU {:?} and memory {} MB; the core grew by \
             {} MB; {} texts and files searched",
            calls.len(),
            used.worker_cpu,
            used.worker_bytes >> 20,
            figures.core_growth >> 20,
            self.secrets.looked(),
        );
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
        figures
    }

    fn changed_files(&self) -> Vec<PathBuf> {
        let hostile = self.hostile.lock().unwrap_or_else(PoisonError::into_inner);
        let after = neighbour::listing(&self.rig, &hostile);
        let before = &self.before_files;
        let mut changed: Vec<PathBuf> = after
            .iter()
            .filter(|(path, bytes)| before.get(*path) != Some(bytes))
            .map(|(path, _)| path.clone())
            .collect();
        changed.extend(before.keys().filter(|path| !after.contains_key(*path)).cloned());
        changed
    }
}
